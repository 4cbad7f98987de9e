//! The server's message in an error of sqlx.

use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

use super::number;
use crate::db::cause::ServerMessage;

/// The words of the server; `None` for an error of the driver.
pub(in crate::db) fn said(error: &DbErr) -> Option<ServerMessage<'_>> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(error) = &**error else { return None };
    let (code, number, message) = (error.code(), number(&**error), error.message());
    let plain = ServerMessage { code, number, message, detail: None, hint: None, object: None };
    let Some(postgres) = error.try_downcast_ref::<PgDatabaseError>() else { return Some(plain) };
    Some(ServerMessage {
        detail: postgres.detail(),
        hint: postgres.hint(),
        object: object(postgres),
        ..plain
    })
}

/// The object that PostgreSQL names beside its message, the smallest one.
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
