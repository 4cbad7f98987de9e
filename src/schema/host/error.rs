//! Why a host program's steps did not run, or why it must not start.

use sea_orm::DbErr;

use crate::db::{LockError, Transient, is_transient};
use crate::schema::SchemaError;

/// Why a host program's steps did not run, or why it must not start. What was finished stays finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The database was migrated by a newer version of the program.
    #[error("the database is newer than this program: it knows migration `{step}`")]
    Newer {
        /// The step that this program does not have.
        step: String,
    },
    /// The database was not migrated to what the program needs.
    #[error("the database is older than this program: pending are {}", pending.join(", "))]
    Older {
        /// The steps to run, in order.
        pending: Vec<String>,
    },
    /// A step was edited after it was applied.
    #[error("migration `{step}` is not the one that was applied: its checksum differs")]
    Edited {
        /// Its name.
        step: String,
    },
    /// A step was begun and not finished. The same call runs it again.
    #[error("migration `{step}` is half-way {}", if *.up { "up" } else { "down" })]
    HalfWay {
        /// Its name.
        step: String,
        /// Which way it was going.
        up: bool,
    },
    /// The history has the step as applied, and the table of sea-orm's own tools has not: one of them took it back.
    #[error(
        "migration `{step}` is applied by the history and not by table `{table}`: another tool took it back"
    )]
    TakenBack {
        /// Its name.
        step: String,
        /// The table.
        table: String,
    },
    /// No step of that number or name.
    #[error("unknown migration `{0}`")]
    Unknown(String),
    /// Two steps of one name.
    #[error("two migrations are called `{0}`")]
    Duplicate(String),
    /// A name that cannot stand in the history.
    #[error(
        "`{0}` is not a name for the history: no slash in a program's, and 255 characters with the step's"
    )]
    Name(String),
    /// A step failed.
    #[error("migration `{name}`: {}", reason(source))]
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
    /// The runner's own tables could not be made.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// See [`LockError`].
    #[error(transparent)]
    Lock(#[from] LockError),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Transient for HostError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Step { source, .. } | Self::Database(source) => is_transient(source),
            Self::Lock(error) => error.is_transient(),
            Self::Schema(error) => error.is_transient(),
            _ => false,
        }
    }
}

/// The reason alone. sea-orm's error says around a carried one that something was converted.
fn reason(error: &DbErr) -> String {
    match error {
        DbErr::TryIntoErr { source, .. } => source.to_string(),
        error => error.to_string(),
    }
}
