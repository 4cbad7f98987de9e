//! Why a row with sealed columns was not written, read or found.

use sea_orm::DbErr;
use strongroom_entity::Unset;

use crate::key::{RingError, Unopened};

/// Why a row with sealed columns was not written, read or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Its cells were altered, moved, or sealed under a key that is not there. The reason is for logs and operators, not for
    /// callers outside the program.
    #[error("`{label}` of row {id} does not open")]
    Unopenable {
        /// The sealed column.
        label: &'static str,
        /// The row.
        id: String,
        /// Why.
        reason: Unopened,
    },
    /// See [`Unset`].
    #[error(transparent)]
    Unset(#[from] Unset),
    /// An id that the ring's own tables cannot hold.
    #[error("the id of a row with sealed columns has at least 1 and at most 64 characters")]
    Id,
    /// A scope that the ring's own tables cannot hold.
    #[error("the scope of a row with sealed columns has at most 72 characters")]
    Scope,
    /// The row was written with another id or other owners than its cells were sealed for, so they do not open. In a
    /// transaction it is rolled back; otherwise read the row again and write it once more.
    #[error("row {id} is not stored as it was sealed: what its cells are bound to was changed on the way")]
    Rebound {
        /// The row that the cells were sealed for.
        id: String,
    },
    /// The table is not one that this program may use: it is not sealed, not wholly yet, or in another way.
    #[error("table `{table}` is in phase `{found}`: its migrations bring it to `sealed`")]
    NotSealed {
        /// The table.
        table: &'static str,
        /// Its phase, or that it binds its cells to something else than this program does.
        found: &'static str,
    },
    /// See [`RingError`].
    #[error(transparent)]
    Ring(#[from] RingError),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}
