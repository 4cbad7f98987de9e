//! A moment that sessions of a pool are older or younger than.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The error of a session's measured age. Sessions opened this soon after the mark are opened again.
const MARGIN: Duration = Duration::from_millis(50);

/// The last moment that was marked; none at first.
pub(crate) struct Since {
    /// In milliseconds since `began`.
    marked: AtomicU64,
    began: Instant,
}

impl Default for Since {
    fn default() -> Self {
        Self { marked: AtomicU64::new(0), began: Instant::now() }
    }
}

impl Since {
    pub(crate) fn mark(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.marked.store(now.max(1), Ordering::Release);
    }

    /// Whether the moment is before the opening of a session of this age.
    pub(crate) fn is_before(&self, age: Duration) -> bool {
        let marked = Duration::from_millis(self.marked.load(Ordering::Acquire));
        marked.is_zero() || age + MARGIN <= self.began.elapsed().saturating_sub(marked)
    }
}
