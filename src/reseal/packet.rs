//! How many bytes a page may hold, by what one statement may carry.

use sea_orm::ConnectionTrait;
use strongroom_entity::SealedTable;

use super::error::ResealError;
use super::page::{Forms, read_id};
use crate::db::{Dialect, Packet, packet, statement};

/// Asks the server, and refuses a table that has a row which no statement could carry: it would be cut off, or read as
/// if it were empty.
pub(super) async fn page_bytes(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    forms: Forms,
) -> Result<usize, ResealError> {
    let packet = packet(db).await?;
    if let Some(limit) = packet.limit.filter(|_| packet.page_bytes() < largest()) {
        refuse_larger(db, table, forms, limit).await?;
    }
    Ok(packet.page_bytes())
}

/// How many bytes a page may hold that is only read.
pub(super) fn largest() -> usize {
    Packet { limit: None }.page_bytes()
}

async fn refuse_larger(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    forms: Forms,
    limit: u64,
) -> Result<(), ResealError> {
    let dialect = Dialect::of(db);
    let columns = table
        .columns
        .iter()
        .flat_map(|column| [Some(column.sealed), column.plain.filter(|_| forms == Forms::Both)]);
    let lengths: Vec<_> = columns
        .flatten()
        .map(|column| format!("coalesce({}, 0)", dialect.bytes(&dialect.quoted(column))))
        .collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE {} > {} LIMIT 1",
        dialect.quoted(table.id.name),
        dialect.quoted(table.name),
        lengths.join(" + "),
        // As it was and as it is to be, and something for the rest.
        limit / 3,
    );
    match db.query_one_raw(statement(dialect, &sql, [])).await? {
        Some(row) => Err(ResealError::RowTooLarge { row: read_id(&row, 0, table.id.kind)?, limit }),
        None => Ok(()),
    }
}
