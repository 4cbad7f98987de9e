//! How many bytes a page may hold, by what one statement may carry.

use sea_orm::{ConnectionTrait, DbBackend};
use strongroom_entity::SealedTable;

use super::error::ResealError;
use super::page::{Forms, read_id};
use super::statement::quoted;
use crate::db::{Packet, packet, statement};

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
    let engine = DbBackend::MySql;
    let columns = table
        .columns
        .iter()
        .flat_map(|column| [Some(column.sealed), column.plain.filter(|_| forms == Forms::Both)]);
    let lengths: Vec<_> = columns
        .flatten()
        .map(|column| format!("coalesce(octet_length({}), 0)", quoted(engine, column)))
        .collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE {} > {} LIMIT 1",
        quoted(engine, table.id.name),
        quoted(engine, table.name),
        lengths.join(" + "),
        // As it was and as it is to be, and something for the rest.
        limit / 3,
    );
    match db.query_one_raw(statement(engine, &sql, [])).await? {
        Some(row) => Err(ResealError::RowTooLarge { row: read_id(&row, 0, table.id.kind)?, limit }),
        None => Ok(()),
    }
}
