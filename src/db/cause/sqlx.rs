//! sqlx's errors, in and out of sea-orm's.

#[cfg(all(feature = "postgres", feature = "mysql"))]
mod said;

#[cfg(feature = "mysql")]
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

use super::Cause;

#[cfg(all(feature = "postgres", feature = "mysql"))]
pub(in crate::db) use said::said;

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
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            Cause::NoSession
        }
        sqlx::Error::Protocol(_) => Cause::Protocol,
        sqlx::Error::Database(error) => {
            Cause::Server { code: error.code(), number: number(&**error) }
        }
        sqlx::Error::Configuration(error) => Cause::Configuration(&**error),
        _ => return None,
    })
}

/// The server's own number of an error; most share one SQLSTATE.
#[cfg(feature = "mysql")]
fn number(error: &dyn sqlx::error::DatabaseError) -> Option<u16> {
    error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}

#[cfg(not(feature = "mysql"))]
fn number(_error: &dyn sqlx::error::DatabaseError) -> Option<u16> {
    None
}
