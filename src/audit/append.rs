//! Rows at the end of the chain.

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, DatabaseConnection, EntityTrait as _,
    ExprTrait as _, IntoActiveModel as _, QueryFilter as _,
};
use strongroom_entity::audit::{Entity, Model};
use strongroom_entity::audit_head::{self, Column};

use super::entry::bytes;
use super::{AuditError, Entry};
use crate::db;
use crate::key::AuditKey;

/// Writes rows down, all or none, and says their numbers. Holds the end of the chain meanwhile, so programs take turns.
pub(crate) async fn append(
    db: &DatabaseConnection,
    key: &AuditKey,
    replica: &str,
    entries: &[Entry],
) -> Result<Vec<i64>, AuditError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut patience = db::Patience::of(PATIENCE);
    loop {
        match append_once(db, key, replica, entries).await {
            Err(error) if patience.again(&error).await => {}
            done => return done,
        }
    }
}

/// Eleven values a row, and SQLite takes 32,766 in one statement.
const ROWS_A_STATEMENT: usize = 500;
/// Its texts are bounded, and short as a rule.
const BYTES_A_ROW: usize = 1024;
/// Every component waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

async fn append_once(
    db: &DatabaseConnection,
    key: &AuditKey,
    replica: &str,
    entries: &[Entry],
) -> Result<Vec<i64>, AuditError> {
    let transaction = db::begin(db).await?;
    let (before, at_ms) =
        take(&transaction, i64::try_from(entries.len()).unwrap_or(i64::MAX)).await?;
    let (rows, mac) = chained(key, replica, entries, before, at_ms);
    let numbers = rows.iter().map(|row| row.number).collect();
    for part in rows.chunks(
        db::rows_a_statement(&transaction, rows.len(), BYTES_A_ROW, ROWS_A_STATEMENT).await?,
    ) {
        let part = part.iter().cloned().map(|row| row.into_active_model().reset_all());
        Entity::insert_many(part).exec_without_returning(&transaction).await?;
    }
    let end = audit_head::Entity::update_many().col_expr(Column::Mac, Expr::value(mac));
    end.filter(Column::Id.eq(1)).exec(&transaction).await?;
    transaction.commit().await?;
    Ok(numbers)
}

/// Takes places for so many rows; the end of the chain before them, and the time. The update comes first: it waits for
/// whoever else is appending.
async fn take(
    db: &impl ConnectionTrait,
    count: i64,
) -> Result<(audit_head::Model, i64), AuditError> {
    let grown = audit_head::Entity::update_many()
        .col_expr(Column::Number, Expr::col(Column::Number).add(count));
    if grown.filter(Column::Id.eq(1)).exec(db).await?.rows_affected != 1 {
        return Err(AuditError::NoHead);
    }
    let head = audit_head::Entity::find_by_id(1_i16).one(db).await?.ok_or(AuditError::NoHead)?;
    Ok((audit_head::Model { number: head.number - count, ..head }, db::clock_ms(db).await?))
}

/// The rows with their codes, and the code of the last.
fn chained(
    key: &AuditKey,
    replica: &str,
    entries: &[Entry],
    before: audit_head::Model,
    at_ms: i64,
) -> (Vec<Model>, Vec<u8>) {
    let (mut number, mut mac) = (before.number, before.mac);
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        number += 1;
        let mut row = entry.at(number, at_ms, replica);
        mac = key.mac(&mac, &bytes(&row));
        row.mac.clone_from(&mac);
        rows.push(row);
    }
    (rows, mac)
}
