//! Counting cells by what they are, from the cells themselves.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    Statement,
};
use serde::Serialize;
use strongroom_entity::{SealedTable, key};
use strongroom_migration::Phase;

use super::quarantine;
use crate::crypto::{KEY_ID_OFFSET, KeyId};
use crate::db::Dialect;
use crate::key::{Generation, Ring, RingError};

/// How many cells there are, and in which form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// Values that are there in either form.
    pub total: u64,
    /// Values that are there as a cell.
    pub sealed: u64,
    /// Values that stand in the clear, with a cell beside them or without.
    pub plaintext: u64,
    /// Cells that a run could not open, in rows that are still there.
    pub quarantined: u64,
}

/// How many cells are sealed under the keys of one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerationCount {
    /// The generation; `None` for cells whose header names no key of the ring.
    pub generation: Option<Generation>,
    /// Cells.
    pub cells: u64,
}

/// Counts every cell of these tables.
pub async fn census(
    db: &impl ConnectionTrait,
    tables: &[(&'static SealedTable, Phase)],
    ring: Option<&Ring>,
) -> Result<(Census, Vec<GenerationCount>), RingError> {
    let mut census = Census::default();
    let mut counts = Vec::new();
    for (table, phase) in tables {
        count_table(db, table, *phase, ring, &mut census, &mut counts).await?;
    }
    Ok((census, counts))
}

async fn count_table(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    phase: Phase,
    ring: Option<&Ring>,
    census: &mut Census,
    counts: &mut Vec<GenerationCount>,
) -> Result<(), RingError> {
    for column in table.columns {
        let dialect = Dialect::of(db);
        let plain = column
            .plain
            .filter(|_| phase != Phase::Sealed)
            .map(|plain| format!("{} IS NOT NULL", dialect.quoted(plain)));
        let sealed = (phase != Phase::Plain)
            .then(|| format!("{} IS NOT NULL", dialect.quoted(column.sealed)));
        let either: Vec<_> = plain.iter().chain(&sealed).map(String::as_str).collect();
        census.total += count(db, table, &either.join(" OR ")).await?;
        census.plaintext += count_if(db, table, plain.as_deref()).await?;
        census.sealed += count_if(db, table, sealed.as_deref()).await?;
    }
    let Some(ring) = ring else { return Ok(()) };
    census.quarantined += quarantine::standing(db, table).await?;
    if phase == Phase::Plain { Ok(()) } else { add_by_generation(db, table, ring, counts).await }
}

/// Counts the cells under the keys of one generation. The keys are read after the cells, because a key is stored before
/// the first cell under it.
pub(super) async fn cells_under(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    generation: Generation,
) -> Result<u64, DbErr> {
    let mut counts = Vec::new();
    for column in table.columns {
        counts.extend(by_key(db, table, column.sealed).await?);
    }
    let ids = key::Entity::find()
        .select_only()
        .column(key::Column::Id)
        .filter(key::Column::Generation.eq(generation.number()));
    let ids: Vec<i64> = ids.filter(key::Column::Purpose.eq("data")).into_tuple().all(db).await?;
    let ids: HashSet<i64> = ids.into_iter().collect();
    let under = counts.iter().filter(|(id, _)| id.is_some_and(|id| ids.contains(&i64::from(id))));
    Ok(under.map(|(_, count)| count).sum())
}

/// Cells of these tables whose header names one key.
pub async fn cells_of_key(
    db: &impl ConnectionTrait,
    tables: &[(&'static SealedTable, Phase)],
    id: i64,
) -> Result<u64, DbErr> {
    let mut cells = 0;
    for column in tables
        .iter()
        .flat_map(|(table, _)| table.columns.iter().map(move |column| (table, column.sealed)))
    {
        let counts = by_key(db, column.0, column.1).await?;
        cells += counts
            .iter()
            .filter(|(key, _)| key.map(i64::from) == Some(id))
            .map(|(_, count)| count)
            .sum::<u64>();
    }
    Ok(cells)
}

/// Rows of a table.
pub(super) async fn rows(db: &impl ConnectionTrait, table: &SealedTable) -> Result<u64, DbErr> {
    count(db, table, "1 = 1").await
}

async fn add_by_generation(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    ring: &Ring,
    counts: &mut Vec<GenerationCount>,
) -> Result<(), RingError> {
    for column in table.columns {
        let by_key = by_key(db, table, column.sealed).await?;
        ring.learn_keys(db, &by_key.iter().filter_map(|(id, _)| *id).collect()).await?;
        for (key_id, cells) in by_key {
            let generation = key_id.and_then(|id| ring.generation_of(id));
            match counts.iter_mut().find(|count| count.generation == generation) {
                Some(count) => count.cells += cells,
                None => counts.push(GenerationCount { generation, cells }),
            }
        }
    }
    Ok(())
}

/// Counts the cells of a column by the id of the key that each names; `None` where a cell is too short to name one.
pub(super) async fn by_key(
    db: &impl ConnectionTrait,
    table: &SealedTable,
    column: &str,
) -> Result<Vec<(Option<KeyId>, u64)>, DbErr> {
    let dialect = Dialect::of(db);
    let sql = format!(
        "SELECT {} AS key_id, count(*) AS cells FROM {} WHERE {} IS NOT NULL GROUP BY 1",
        key_id(column, dialect),
        dialect.quoted(table.name),
        dialect.quoted(column),
    );
    let rows = db.query_all_raw(Statement::from_string(dialect.backend(), sql)).await?;
    rows.iter()
        .map(|row| {
            let cells: i64 = row.try_get("", "cells")?;
            Ok((key_id_of(row.try_get("", "key_id")?), u64::try_from(cells).unwrap_or(0)))
        })
        .collect()
}

/// The bytes of a cell's header that name its key.
pub(super) fn key_id(column: &str, dialect: Dialect) -> String {
    dialect.bytes_from(&dialect.quoted(column), KEY_ID_OFFSET + 1, 4)
}

/// The id that these bytes are.
pub(super) fn key_id_of(bytes: Option<Vec<u8>>) -> Option<KeyId> {
    bytes?.as_slice().try_into().ok().map(KeyId::from_be_bytes)
}

async fn count_if(
    db: &impl ConnectionTrait,
    table: &SealedTable,
    condition: Option<&str>,
) -> Result<u64, DbErr> {
    match condition {
        Some(condition) => count(db, table, condition).await,
        None => Ok(0),
    }
}

pub(super) async fn count(
    db: &impl ConnectionTrait,
    table: &SealedTable,
    condition: &str,
) -> Result<u64, DbErr> {
    let dialect = Dialect::of(db);
    let sql =
        format!("SELECT count(*) AS cells FROM {} WHERE {condition}", dialect.quoted(table.name));
    let row = db.query_one_raw(Statement::from_string(dialect.backend(), sql)).await?;
    let cells: i64 = row.map_or(Ok(0), |row| row.try_get("", "cells"))?;
    Ok(u64::try_from(cells).unwrap_or(0))
}
