//! How a run is to behave, and what it tells of itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use strongroom_entity::SealedTable;

/// How a run is to behave. By default it goes on to the end, a thousand rows a page, without a rest, and tells nobody.
///
/// ```
/// use std::time::{Duration, Instant};
/// use strongroom::reseal::{Options, Stop};
///
/// let stop = Stop::default(); // for whoever hears signals
/// let mut options = Options::default();
/// options.batch_delay = Duration::from_millis(20);
/// options.deadline = Some(Instant::now() + Duration::from_secs(3600));
/// options.stop = stop.clone();
/// let (options, events) = options.with_events();
/// # stop.request();
/// # assert!(options.stop.is_requested());
/// # drop(events);
/// ```
#[derive(Clone)]
pub struct Options {
    /// Rows a page, 1000 by default. At least one; at most 2500, and fewer where a row has so many columns that a statement
    /// would not take them. Pages end at 4 MiB of cells, too.
    pub batch_size: u64,
    /// Stop after this many moved rows, with [`ResealError::CutShort`](super::ResealError::CutShort) where any are left.
    pub max_rows: Option<u64>,
    /// Stop after this time, with the same error.
    pub deadline: Option<Instant>,
    /// Rest between pages, for the sake of others.
    pub batch_delay: Duration,
    /// Asked between pages. Once it was requested a run ends with
    /// [`ResealError::Interrupted`](super::ResealError::Interrupted), and the same call goes on later.
    pub stop: Stop,
    /// Told of progress, on the task that runs: what takes long here holds it up. See [`Options::with_events`] for a stream.
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

/// Rows a page, however few parameters each of them takes.
const LARGEST_PAGE: u64 = 2_500;
/// The smallest limit of parameters in a statement is SQLite's, 32,766.
const PARAMETERS: u64 = 32_000;

impl Options {
    /// Rows a page, within what every engine takes of a table.
    pub(super) fn page_size(&self, table: &SealedTable) -> u64 {
        self.batch_size.clamp(1, largest_page(table))
    }
}

/// A row takes its id, its rowid, each cell as it was and as it is to be, and at most the plaintext, the index and the owners once.
pub(super) fn largest_page(table: &SealedTable) -> u64 {
    let parameters = 2 + 4 * table.columns.len() + table.owners.len();
    (PARAMETERS / parameters as u64).clamp(1, LARGEST_PAGE)
}

/// What a run tells of itself: for each pass over a table `Started`, an `Advanced` for each page, and `Finished`. A run
/// makes several passes where programs write meanwhile, or there are several tables.
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
        /// Rows since the event before, changed or not.
        rows: u64,
    },
    /// The pass is over.
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
