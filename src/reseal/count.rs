//! Counting cells by what they are, from the cells themselves.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _, Statement,
};
use serde::Serialize;
use strongroom_entity::{SealedTable, key};
use strongroom_migration::Phase;

use super::direction::Direction;
use super::quarantine;
use super::statement::quoted;
use crate::crypto::KEY_ID_OFFSET;
use crate::key::Ring;

/// How many cells there are, and in which form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub(crate) struct Census {
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
pub(crate) struct GenerationCount {
    /// The generation; `None` for cells whose header names no key of the ring.
    pub generation: Option<u32>,
    /// Cells.
    pub cells: u64,
}

/// Counts every cell of these tables.
pub(crate) async fn census(
    db: &impl ConnectionTrait,
    tables: &[(&'static SealedTable, Phase)],
    ring: Option<&Ring>,
) -> Result<(Census, Vec<GenerationCount>), DbErr> {
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
) -> Result<(), DbErr> {
    for column in table.columns {
        let engine = db.get_database_backend();
        let plain = column.plain.filter(|_| phase != Phase::Sealed).map(|plain| format!("{} IS NOT NULL", quoted(engine, plain)));
        let sealed = (phase != Phase::Plain).then(|| format!("{} IS NOT NULL", quoted(engine, column.sealed)));
        let either: Vec<_> = plain.iter().chain(&sealed).map(String::as_str).collect();
        census.total += count(db, table, &either.join(" OR ")).await?;
        census.plaintext += count_if(db, table, plain.as_deref()).await?;
        census.sealed += count_if(db, table, sealed.as_deref()).await?;
    }
    let Some(ring) = ring else { return Ok(()) };
    census.quarantined += quarantine::standing(db, table).await?;
    if phase == Phase::Plain { Ok(()) } else { add_by_generation(db, table, ring, counts).await }
}

/// Cells that a direction still has to move.
pub(super) async fn left(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    direction: Direction,
    ring: &Ring,
) -> Result<u64, DbErr> {
    if direction == Direction::Roll {
        let active = Some(ring.active());
        let mut counts = Vec::new();
        add_by_generation(db, table, ring, &mut counts).await?;
        return Ok(counts.iter().filter(|count| count.generation != active).map(|count| count.cells).sum());
    }
    let engine = db.get_database_backend();
    let mut left = 0;
    for column in table.columns {
        let Some(plain) = column.plain else { continue };
        let (from, to) = if direction == Direction::Seal { (plain, column.sealed) } else { (column.sealed, plain) };
        left += count(db, table, &format!("{} IS NOT NULL AND {} IS NULL", quoted(engine, from), quoted(engine, to))).await?;
    }
    Ok(left)
}

/// Cells under the keys of one generation.
pub(super) async fn cells_under(db: &impl ConnectionTrait, table: &'static SealedTable, generation: u32) -> Result<u64, DbErr> {
    let ids = key::Entity::find().select_only().column(key::Column::Id).filter(key::Column::Generation.eq(generation));
    let ids: Vec<i64> = ids.filter(key::Column::Purpose.eq("data")).into_tuple().all(db).await?;
    let mut cells = 0;
    for column in table.columns {
        let counts = by_key(db, table, column.sealed).await?;
        let under = counts.iter().filter(|(id, _)| id.is_some_and(|id| ids.contains(&i64::from(id))));
        cells += under.map(|(_, count)| count).sum::<u64>();
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
) -> Result<(), DbErr> {
    for column in table.columns {
        for (key_id, cells) in by_key(db, table, column.sealed).await? {
            let generation = key_id.and_then(|id| ring.generation_of(id));
            match counts.iter_mut().find(|count| count.generation == generation) {
                Some(count) => count.cells += cells,
                None => counts.push(GenerationCount { generation, cells }),
            }
        }
    }
    Ok(())
}

async fn by_key(db: &impl ConnectionTrait, table: &SealedTable, column: &str) -> Result<Vec<(Option<u32>, u64)>, DbErr> {
    let engine = db.get_database_backend();
    let id = match engine {
        DbBackend::Postgres => format!("substring({}::bytea FROM {} FOR 4)", quoted(engine, column), KEY_ID_OFFSET + 1),
        _ => format!("substr({}, {}, 4)", quoted(engine, column), KEY_ID_OFFSET + 1),
    };
    let sql = format!(
        "SELECT {id} AS key_id, count(*) AS cells FROM {} WHERE {} IS NOT NULL GROUP BY 1",
        quoted(engine, table.name),
        quoted(engine, column),
    );
    let rows = db.query_all_raw(Statement::from_string(engine, sql)).await?;
    rows.iter()
        .map(|row| {
            let id: Vec<u8> = row.try_get("", "key_id")?;
            let cells: i64 = row.try_get("", "cells")?;
            Ok((id.as_slice().try_into().ok().map(u32::from_be_bytes), u64::try_from(cells).unwrap_or(0)))
        })
        .collect()
}

async fn count_if(db: &impl ConnectionTrait, table: &SealedTable, condition: Option<&str>) -> Result<u64, DbErr> {
    match condition {
        Some(condition) => count(db, table, condition).await,
        None => Ok(0),
    }
}

async fn count(db: &impl ConnectionTrait, table: &SealedTable, condition: &str) -> Result<u64, DbErr> {
    let engine = db.get_database_backend();
    let sql = format!("SELECT count(*) AS cells FROM {} WHERE {condition}", quoted(engine, table.name));
    let row = db.query_one_raw(Statement::from_string(engine, sql)).await?;
    let cells: i64 = row.map_or(Ok(0), |row| row.try_get("", "cells"))?;
    Ok(u64::try_from(cells).unwrap_or(0))
}
