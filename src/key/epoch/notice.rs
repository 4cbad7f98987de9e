//! What is to be noticed about a host's memory, and refuses nothing.

use crate::key::Epoch;
use std::path::PathBuf;

/// Something about the epoch file that the operator should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EpochNotice {
    /// The first contact of this host with the database.
    #[error(
        "the epoch file {0} does not know this database: an older copy of it would not be noticed"
    )]
    UnknownDatabase(PathBuf),
    /// A line for this ring was not written by a holder of its keys, or is no line at all.
    #[error(
        "the epoch file {0} does not verify: this host does not remember which epoch it has seen"
    )]
    Unverified(PathBuf),
    /// The file cannot be read.
    #[error("the epoch file {0} cannot be read: {1}")]
    Unreadable(PathBuf, String),
    /// The file cannot be written.
    #[error("the epoch file {0} cannot be written: {1}")]
    Unwritable(PathBuf, String),
    /// The database is many epochs ahead.
    #[error("the manifest is at epoch {found}, and this host has last seen epoch {remembered}")]
    FarBehind {
        /// The epoch in the file.
        remembered: Epoch,
        /// The epoch in the database.
        found: Epoch,
    },
}

impl EpochNotice {
    /// Names the kind, so that a process says each once.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::UnknownDatabase(_) => "unknown",
            Self::Unverified(_) => "unverified",
            Self::Unreadable(..) => "unreadable",
            Self::Unwritable(..) => "unwritable",
            Self::FarBehind { .. } => "behind",
        }
    }
}
