//! Why a manifest is not changed.

use crate::key::Generation;

/// Why the ring refuses to roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The active generation is the first.
    #[error("there is no generation to go back to from generation {0}")]
    NothingBefore(Generation),
    /// The way back is barred.
    #[error("generation {0} is closed or retired: there is no way back to it")]
    Closed(Generation),
    /// A roll in the other direction is unfinished.
    #[error("a roll back to generation {0} is unfinished")]
    RollingBack(Generation),
    /// No such generation.
    #[error("there is no generation {0}")]
    Unknown(Generation),
    /// It seals, or a roll is under way that may still need it.
    #[error("generation {0} is in use: it is active, or a roll is unfinished")]
    InUse(Generation),
    /// Cells that are there would no longer open.
    #[error(
        "table `{0}` binds its cells to something else than it did: bring it to its plaintext first"
    )]
    BoundOtherwise(&'static str),
    /// Two columns would share their keys, and a cell of one would open in the other.
    #[error(
        "the label `{label}` is that of another sealed column: give the column of `{table}` one of its own"
    )]
    LabelTaken {
        /// The table that asks for it.
        table: &'static str,
        /// The label.
        label: &'static str,
    },
    /// Strongroom's own.
    #[error("table `{0}` is Strongroom's own")]
    Ours(&'static str),
}
