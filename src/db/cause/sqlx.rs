//! sqlx's errors, in and out of sea-orm's.

#[cfg(feature = "mysql")]
use sea_orm::sqlx::mysql::MySqlDatabaseError;
#[cfg(feature = "cli")]
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

use super::Cause;
#[cfg(feature = "cli")]
use super::Said;

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

/// The words of the server; `None` for an error of the driver.
#[cfg(feature = "cli")]
pub(in crate::db) fn said(error: &DbErr) -> Option<Said<'_>> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(error) = &**error else { return None };
    let (code, number, message) = (error.code(), number(&**error), error.message());
    let plain = Said { code, number, message, detail: None, hint: None, object: None };
    let Some(postgres) = error.try_downcast_ref::<PgDatabaseError>() else { return Some(plain) };
    Some(Said {
        detail: postgres.detail(),
        hint: postgres.hint(),
        object: object(postgres),
        ..plain
    })
}

/// The object that PostgreSQL names beside its message, the smallest one.
#[cfg(feature = "cli")]
fn object(error: &PgDatabaseError) -> Option<String> {
    let table = error.table().map(|table| {
        error.schema().map_or_else(|| table.to_owned(), |schema| format!("{schema}.{table}"))
    });
    let inner = error.constraint().map(|name| format!("constraint {name}"));
    let inner = inner.or_else(|| error.column().map(|name| format!("column {name}")));
    match (inner, table) {
        (Some(inner), Some(table)) => Some(format!("{inner} of table {table}")),
        (inner, table) => inner.or_else(|| table.map(|table| format!("table {table}"))),
    }
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
