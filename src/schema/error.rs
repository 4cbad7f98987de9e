//! Why a run of schema steps ended early.

use sea_orm::DbErr;

use super::{Unfit, Unsealable};
use crate::db::{LockError, Transient, is_transient, unwrapped};
use crate::reseal::ResealError;

/// Why a run of schema steps ended early. What was finished stays finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// No step of that number or name.
    #[error("unknown migration `{0}`")]
    Unknown(String),
    /// Somebody else's table bears our name.
    #[error("table `{0}` exists and was not made by Strongroom")]
    ForeignTable(&'static str),
    /// The record of an adoption is not what this program writes.
    #[error("the record of the adopted table was altered")]
    AlteredAdoption,
    /// See [`Unfit`].
    #[error("the table cannot be adopted: {0}")]
    Unfit(#[from] Unfit),
    /// The history names steps that this program does not have.
    #[error("the database is newer than this program: it knows migration {number} `{name}`")]
    Newer {
        /// The step's number.
        number: i32,
        /// The step's name.
        name: String,
    },
    /// A step was edited after it ran.
    #[error("migration {number} `{name}` is not the one that was applied: its checksum differs")]
    Edited {
        /// The step's number.
        number: usize,
        /// The step's name.
        name: String,
    },
    /// A step failed.
    #[error("migration `{name}`: {}", cause(source))]
    Step {
        /// The step's name.
        name: String,
        /// Why.
        #[source]
        source: DbErr,
    },
    /// A person or a service manager asked to stop.
    #[error("interrupted before migration `{before}`; what is finished stays finished")]
    Interrupted {
        /// The step that was next.
        before: String,
    },
    /// See [`LockError`].
    #[error(transparent)]
    Lock(#[from] LockError),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl SchemaError {
    /// The reseal error below a failed step, if that is what failed.
    pub fn reseal(&self) -> Option<&ResealError> {
        match self {
            Self::Step { source, .. } | Self::Database(source) => unwrapped(source),
            _ => None,
        }
    }

    /// Returns why a table cannot be sealed, if that is what failed.
    pub fn unsealable(&self) -> Option<&Unsealable> {
        match self {
            Self::Step { source, .. } | Self::Database(source) => Unsealable::of(source),
            _ => None,
        }
    }

    /// The database error below, if that is what failed.
    pub fn database(&self) -> Option<&DbErr> {
        match self {
            Self::Step { source, .. }
            | Self::Database(source)
            | Self::Lock(LockError::Database(source)) => Some(source),
            _ => None,
        }
    }
}

impl Transient for SchemaError {
    fn is_transient(&self) -> bool {
        self.database().is_some_and(is_transient)
            || self.reseal().is_some_and(Transient::is_transient)
    }
}

/// Returns the message without sea-orm's words about a conversion.
fn cause(source: &DbErr) -> String {
    match source {
        DbErr::TryIntoErr { source, .. } => source.to_string(),
        source => source.to_string(),
    }
}
