//! Why an audit row was not written.

use sea_orm::DbErr;

use crate::db::{Transient, is_transient};

/// Why rows were not written or read. Nothing may be handed out then.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// Step 10 was not done, or somebody emptied the table.
    #[error("the chain of audit rows has no end row")]
    NoHead,
    /// More waits to be written than there is room for.
    #[error("audit rows cannot be written as fast as they come")]
    Busy,
    /// The writer is gone.
    #[error("audit rows are not written any more: the program is stopping")]
    Stopped,
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Transient for AuditError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if is_transient(error))
    }
}
