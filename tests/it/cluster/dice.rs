//! Random moments that another run can repeat.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub struct Dice(u64);

impl Dice {
    /// Begins with the seed that the environment names, or with another one each time. Prints it.
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
        let seed = number("STRONGROOM_CLUSTER_SEED").unwrap_or(u64::from(now));
        println!("STRONGROOM_CLUSTER_SEED={seed}");
        Self(seed)
    }

    /// A number below another: `SplitMix64`.
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }

    pub fn of<T: Copy>(&mut self, what: &[T]) -> T {
        what[self.below(what.len())]
    }

    /// A moment before the end of a time.
    pub fn within(&mut self, most: Duration) -> Duration {
        let most = usize::try_from(most.as_millis()).unwrap();
        Duration::from_millis(self.below(most.max(1)) as u64)
    }
}

/// How many faults a test makes.
pub fn faults(usually: usize) -> usize {
    number("STRONGROOM_CLUSTER_FAULTS").map_or(usually, |faults| usize::try_from(faults).unwrap())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}
