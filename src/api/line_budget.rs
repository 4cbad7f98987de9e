//! Bounds the log lines that unknown clients can cause.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The counts restart after this time.
const PERIOD: Duration = Duration::from_secs(10);
/// Lines for one address in a period, so that one address cannot use all lines.
const OF_ONE: u32 = 5;
/// Lines in a period for all addresses together.
const OF_ALL: u32 = 50;

/// Counts the lines of one kind.
#[derive(Default)]
pub(super) struct LineBudget(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    began: Option<Instant>,
    written: u32,
    by_address: HashMap<IpAddr, u32>,
    left_out: u64,
}

impl LineBudget {
    /// Returns the number of omitted lines since the last written one; `None` if the caller must omit this line.
    pub(super) fn take(&self, address: IpAddr) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.begin_anew_after(PERIOD);
        let of_address = counts.by_address.get(&address).copied().unwrap_or_default();
        if counts.written >= OF_ALL || of_address >= OF_ONE {
            counts.left_out += 1;
            return None;
        }
        counts.written += 1;
        // At most `OF_ALL` addresses get here in a period.
        counts.by_address.insert(address, of_address + 1);
        Some(std::mem::take(&mut counts.left_out))
    }
}

impl Counts {
    fn begin_anew_after(&mut self, period: Duration) {
        if self.began.is_none_or(|began| began.elapsed() >= period) {
            *self =
                Self { began: Some(Instant::now()), left_out: self.left_out, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    #[test]
    fn one_address_does_not_use_up_the_lines_of_others() {
        let budget = LineBudget::default();
        let lines = (0..1000).filter(|_| budget.take(address(1)).is_some()).count();
        assert_eq!((lines, budget.take(address(2))), (5, Some(995)));
        assert_eq!(budget.take(address(2)), Some(0), "what was left out is told once");
    }

    #[test]
    fn all_addresses_together_have_a_bound() {
        let budget = LineBudget::default();
        let lines = (0..=255)
            .flat_map(|number| [number; 5])
            .filter(|number| budget.take(address(*number)).is_some())
            .count();
        assert_eq!(lines, 50);
        let mut counts = budget.0.lock().unwrap();
        counts.begin_anew_after(Duration::ZERO);
        assert_eq!((counts.written, counts.by_address.len()), (0, 0));
    }
}
