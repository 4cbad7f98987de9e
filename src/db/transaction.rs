//! Transactions that can be tried again.

use std::time::{Duration, Instant};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};

use super::is_transient;
use super::patience::{SILENCE, aloud};

const ATTEMPTS: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Begins a transaction that will write. SQLite takes its write lock now: a lock taken later can fail
/// at once, without waiting, when another writer came first.
pub async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let begun = db.begin_with_options(TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    });
    aloud("another session holds the database, or no connection is free", begun).await
}

/// An error that may be one that passes.
pub trait Transient {
    /// Whether to try again.
    fn is_transient(&self) -> bool;
}

impl Transient for DbErr {
    fn is_transient(&self) -> bool {
        is_transient(self)
    }
}

/// How long failures that pass are put up with: twenty times, with pauses of half a minute in all, and each time for as
/// long as the database waits for a lock.
#[derive(Debug)]
pub struct Patience {
    attempts: u32,
    pause: Duration,
    until: Option<Instant>,
    since: Option<Instant>,
    is_told: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 0, pause: FIRST_PAUSE, until: None, since: None, is_told: false }
    }
}

impl Patience {
    /// The same, and no new attempt after this time.
    pub fn of(most: Duration) -> Self {
        Self { until: Some(Instant::now() + most), ..Self::default() }
    }

    /// Waits and says true when `error` is one that passes and there is patience left.
    pub async fn again<E: Transient + std::fmt::Display>(&mut self, error: &E) -> bool {
        self.attempts += 1;
        let is_over = self.until.is_some_and(|until| Instant::now() > until);
        if self.attempts == ATTEMPTS || is_over || !error.is_transient() {
            return false;
        }
        tracing::info!(attempt = self.attempts, %error, "trying again");
        self.tell();
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

impl Patience {
    /// Says once that it waits, when it has been silent for a moment or will be.
    fn tell(&mut self) {
        let waited = self.since.get_or_insert_with(Instant::now).elapsed();
        if !self.is_told && waited + self.pause > SILENCE {
            self.is_told = true;
            tracing::warn!("waiting: another session holds a lock; trying again");
        }
    }
}

/// Runs a future, made anew each time, until it succeeds or fails for good. It must be one whole
/// transaction, or safe to run again. A macro, because a closure's future could not be `Send` here.
#[doc(hidden)]
#[macro_export]
macro_rules! __retry {
    ($work:expr) => {
        $crate::__retry!($work, $crate::db::Patience::default())
    };
    ($work:expr, $patience:expr) => {{
        let mut patience = $patience;
        loop {
            match $work.await {
                Err(error) if patience.again(&error).await => {}
                done => break done,
            }
        }
    }};
}
pub(crate) use __retry as retry;
