//! Why the store did not do what was asked.

use sea_orm::DbErr;

use crate::crypto::NoRandomness;
use crate::key::{OpenFailure, RingError};

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No table yet.
    #[error("the database has no credential table")]
    NoTable,
    /// No such credential.
    #[error("no such credential")]
    NotFound,
    /// Its cells were altered, moved, or sealed under a key that is not there. The reason is for
    /// quarantine and logs, not for callers.
    #[error("credential {} does not open", id.escape_debug())]
    Unopenable {
        /// The row.
        id: String,
        /// Why.
        reason: OpenFailure,
    },
    /// The access key or the id is taken.
    #[error("a credential with this id or access key exists already")]
    Exists,
    /// The database refused the row.
    #[error("the database refused the row: it breaks a constraint")]
    Refused,
    /// A change of the schema kept writers out for longer than a statement is tried again.
    #[error(
        "the credential table is being changed, and takes no writes: if no migration runs, finish the one that was cut short"
    )]
    Held,
    /// The ring exists and no key was given.
    #[error("the database is sealed, and no root key was given")]
    NoRoot,
    /// The manifest names a phase of a newer program.
    #[error("the credential table is in a phase that this program does not know")]
    UnknownPhase,
    /// A value that the table cannot hold.
    #[error("{0} is too long: at most {1} characters are stored")]
    TooLong(&'static str, usize),
    /// More than are listed in one piece.
    #[error("more than {0} credentials: list them in pages")]
    TooMany(u64),
    /// A value that no text column can hold.
    #[error("a value holds a NUL character, or the id is empty")]
    NotText,
    /// See [`NoRandomness`].
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// See [`RingError`].
    #[error(transparent)]
    Ring(#[from] RingError),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}
