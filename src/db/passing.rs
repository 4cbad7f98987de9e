//! Errors that pass through code which knows sea-orm's error only.

use std::error::Error;
use std::sync::Arc;

use sea_orm::DbErr;

/// Wraps an error so that steps and transactions of sea-orm pass it on.
pub(crate) fn wrapped(error: impl Error + Send + Sync + 'static) -> DbErr {
    DbErr::TryIntoErr { from: "keyed work", into: "a finished step", source: Arc::new(error) }
}

/// Returns the error of this type that was `wrapped`, if there is one.
pub fn unwrapped<E: Error + 'static>(error: &DbErr) -> Option<&E> {
    match error {
        DbErr::TryIntoErr { source, .. } => source.downcast_ref(),
        _ => None,
    }
}
