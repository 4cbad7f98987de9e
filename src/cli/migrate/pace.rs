//! How fast a run goes, and how far at a time.

use std::time::{Duration, Instant};

use clap::Args;

use crate::output::Output;
use crate::progress;
use crate::session::Session;
use strongroom::reseal::Options;

/// How fast, and how far at a time.
#[derive(Debug, Args)]
pub(crate) struct Pace {
    /// Rows a page, at most 2500
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,
    /// Rest between pages, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    batch_delay: u64,
    /// Stop after moving so many rows, with exit code 3
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_rows: Option<u64>,
    /// Stop after so many seconds, with exit code 3
    #[arg(long, value_name = "S")]
    max_duration: Option<u64>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { batch_size: 1000, batch_delay: 0, max_rows: None, max_duration: None }
    }
}

impl Pace {
    pub(crate) fn options(&self, session: &Session, output: &Output) -> Options {
        Options {
            batch_size: self.batch_size,
            max_rows: self.max_rows,
            deadline: self
                .max_duration
                .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds))),
            batch_delay: Duration::from_millis(self.batch_delay),
            stop: session.stop.clone(),
            on_event: progress::listener(output),
        }
    }
}
