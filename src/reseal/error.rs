//! Why a run ended early.

use sea_orm::DbErr;

use crate::db::{LockError, Transient, is_transient};
use crate::key::{Generation, RingError};

/// Why a reseal run, or a step that asked for one, ended early. Progress is saved in every case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResealError {
    /// `--max-rows` or `--max-duration` was reached.
    #[error("stopped after {moved} rows as asked; {left} cells are left")]
    CutShort {
        /// Rows moved by this run.
        moved: u64,
        /// Cells still to move.
        left: u64,
    },
    /// A person or a service manager asked to stop.
    #[error("interrupted after {moved} rows; progress is saved")]
    Interrupted {
        /// Rows moved by this run.
        moved: u64,
    },
    /// Cells that do not open, or do not open to their plaintext, where the next step would destroy
    /// the only good copy.
    #[error("{count} cells do not open to what they should, the first in row {} ({reason}): nothing was dropped", row.escape_debug())]
    Unverified {
        /// How many.
        count: usize,
        /// The first row.
        row: String,
        /// Why, in the words of quarantine.
        reason: String,
    },
    /// Values that cannot be sealed; everything else is.
    #[error("{count} values cannot be sealed; all others are")]
    LeftBehind {
        /// How many.
        count: u64,
    },
    /// A row that no statement could carry.
    #[error(
        "row {row} is too large for the server's max_allowed_packet of {limit} bytes: nothing was moved"
    )]
    RowTooLarge {
        /// The row.
        row: String,
        /// The limit.
        limit: u64,
    },
    /// Rows change faster than they can be moved.
    #[error("{left} cells keep changing while they are moved")]
    NoHeadway {
        /// Cells still to move.
        left: u64,
    },
    /// The manifest names a phase of a newer program.
    #[error("a table is in a phase, or sealed in a way, that this program does not know")]
    UnknownPhase,
    /// The history and the authenticated manifest disagree: one of them was changed by hand.
    #[error(
        "the table is in phase `{found}`, and this step needs another: the history was changed by something else"
    )]
    WrongPhase {
        /// The phase in the manifest.
        found: &'static str,
    },
    /// A roll before there are cells.
    #[error("nothing is sealed yet")]
    NoRing,
    /// A generation that is to be retired has cells.
    #[error("generation {generation} is in use: {cells} cells are sealed under its keys")]
    StillInUse {
        /// The generation.
        generation: Generation,
        /// Cells.
        cells: u64,
    },
    /// A roll would fire triggers of other programs, which take it for a change of every row.
    #[error(
        "rewriting cells of `{table}` would fire {}: give each the condition {condition}, or limit it to other columns", names.join(", ")
    )]
    Triggers {
        /// The table.
        table: &'static str,
        /// The triggers and rules.
        names: Vec<String>,
        /// What each of them must ask first.
        condition: String,
    },
    /// Keyed work was asked for, and no key source was given.
    #[error("this step needs the key ring, and no key source was given")]
    NoRoot,
    /// The run's background work was dropped.
    #[error("sealing was dropped by the runtime")]
    Dropped,
    /// See [`RingError`].
    #[error(transparent)]
    Ring(#[from] RingError),
    /// See [`LockError`].
    #[error(transparent)]
    Lock(#[from] LockError),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Transient for ResealError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => is_transient(error),
            Self::Ring(error) => error.is_transient(),
            Self::Lock(error) => error.is_transient(),
            _ => false,
        }
    }
}
