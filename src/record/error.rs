//! Why a row with sealed columns was not written, read or found.

use sea_orm::DbErr;
use strongroom_entity::Unset;
use strongroom_migration::Phase;

use crate::key::{OpenFailure, RingError};

/// Why a row with sealed columns was not written, read or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Its cells were altered, moved, or sealed under a key that is not there; or a row was found by an index that is not its
    /// value's. The reason is for logs and operators, not for callers outside the program.
    #[error("`{label}` of row {} does not open", id.escape_debug())]
    Unopenable {
        /// The sealed column, by its label.
        label: &'static str,
        /// The row's primary key, as text.
        id: String,
        /// Why.
        reason: OpenFailure,
    },
    /// A column that the row's cells are bound to has no value. See [`Unset`].
    #[error(transparent)]
    Unset(#[from] Unset),
    /// An id that the ring's own tables cannot hold.
    #[error("the id of a row with sealed columns has at least 1 and at most 64 characters")]
    Id,
    /// A scope that the ring's own tables cannot hold.
    #[error("the scope of a row with sealed columns has at most 72 characters")]
    Scope,
    /// No row is stored with the id and the owners that the draft was sealed for. An update or a delete found none and changed
    /// nothing: the row is gone, belongs to another owner, or has moved since it was read. Read it again. After an insert
    /// it is there, and a trigger or `before_save` changed what its cells are bound to; in a transaction it is rolled back.
    #[error(
        "no row {} is stored with the owners that the draft was sealed for: it is gone, belongs to another owner, or was changed on the way",
        id.escape_debug()
    )]
    Rebound {
        /// The row that the cells were sealed for.
        id: String,
    },
    /// The table is not sealed, or not wholly yet, or no longer.
    #[error("table `{table}` is {}: its migrations bring it to phase `sealed`", phase_said(*phase))]
    NotSealed {
        /// The table.
        table: &'static str,
        /// Its phase, `Plain` for a table that the ring does not know; `None` for one that only a newer release has.
        phase: Option<Phase>,
    },
    /// The table is sealed with other columns, or bound to others, than this program knows.
    #[error(
        "table `{0}` is sealed in another way than this program was built for: run its migrations, or the program that belongs to them"
    )]
    SealedOtherwise(&'static str),
    /// More than one row has the value. Its blind index is not unique: see [`find_all_by`](super::Keyed::find_all_by).
    #[error("more than one row has this `{label}`: `find_all_by` returns them all")]
    Several {
        /// The sealed column, by its label.
        label: &'static str,
    },
    /// The value has no form in JSON, or is not the JSON that was expected.
    #[error("the value is not the JSON that was expected, from line {line}, column {column} on")]
    Json {
        /// Where, from 1 on; 0 for a value that was not written.
        line: usize,
        /// The place in the line.
        column: usize,
    },
    /// No key, a value that is too long, or a manifest that is not to be trusted. See [`RingError`].
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The database's own, and what its guards refuse: [`is_constraint_violation`](crate::db::is_constraint_violation) tells.
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl RecordError {
    /// serde's own message may quote the value.
    pub(super) fn json(error: &serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}

fn phase_said(phase: Option<Phase>) -> String {
    phase.map_or_else(
        || "in a phase of a newer release".to_owned(),
        |phase| format!("in phase `{}`", phase.as_str()),
    )
}
