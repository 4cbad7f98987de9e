//! What all engines' drivers share: the size of a pool, and sqlx's errors in and out of sea-orm's.

use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr, sqlx};

use super::Cause;
#[cfg(feature = "mysql")]
use super::mysql::number;

pub(super) const CONNECTIONS: u32 = 8;
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);

/// An error while connecting.
pub(crate) fn conn(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

pub(in crate::db) fn cause(error: &DbErr) -> Option<Cause<'_>> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    Some(match &**error {
        sqlx::Error::Io(error) => Cause::Io(error),
        sqlx::Error::Tls(error) => Cause::Tls(&**error),
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Cause::NoSession,
        sqlx::Error::Protocol(_) => Cause::Protocol,
        sqlx::Error::Database(error) => Cause::Server { code: error.code(), number: number(&**error) },
        sqlx::Error::Configuration(error) => Cause::Configuration(&**error),
        _ => return None,
    })
}

#[cfg(not(feature = "mysql"))]
fn number(_error: &dyn sqlx::error::DatabaseError) -> Option<u16> {
    None
}
