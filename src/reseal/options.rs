//! How a run is to behave, and what it tells of itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How a run is to behave.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Rows a page.
    pub batch_size: u64,
    /// Stop after this many moved rows.
    pub max_rows: Option<u64>,
    /// Stop after this time.
    pub deadline: Option<Instant>,
    /// Rest between pages, for the sake of others.
    pub batch_delay: Duration,
    /// Asked between pages.
    pub stop: Stop,
    /// Told of progress.
    pub on_event: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_size: 1000,
            max_rows: None,
            deadline: None,
            batch_delay: Duration::ZERO,
            stop: Stop::default(),
            on_event: Arc::new(|_| ()),
        }
    }
}

/// Eleven parameters a row stay below SQLite's limit of 32,766.
const LARGEST_PAGE: u64 = 2_500;

impl Options {
    /// Rows a page, within what every engine takes.
    pub(super) fn page_size(&self) -> u64 {
        self.batch_size.clamp(1, LARGEST_PAGE)
    }
}

/// What a run tells of itself.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event {
    /// A pass over a table begins.
    Started {
        /// What is done, for a person.
        work: &'static str,
        /// Rows in the table.
        rows: u64,
    },
    /// So many more rows were looked at.
    Advanced {
        /// Rows.
        rows: u64,
    },
    /// The run is over.
    Finished,
}

/// A request to stop at the next page, shared with whoever hears signals.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
