//! Looking at a table that is about to be sealed. Reads only.

mod bound;
mod guards;
mod kind;
mod mysql;
mod postgres;
mod rows;
mod sqlite;

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_entity::{SealedColumn, SealedTable};
use strongroom_migration::Engine;

use bound::refuse_loose;
pub use guards::{holds_writers, missing_guards};
use kind::refuse_kind;
pub(super) use kind::refuse_triggers;
pub use mysql::is_half_way;
use rows::is_empty;
pub(super) use rows::{refuse_rows, refuse_rows_of_cells};
pub(super) use sqlite::{made, referring};

use super::error::Unsealable;
use super::original::OriginalColumns;
use crate::db::{has_table, statement};

/// What the plaintext columns are like, so that they can be given back; refuses what could not be.
pub(super) async fn inspect(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<OriginalColumns, Unsealable> {
    let columns = columns(db, engine, table).await?;
    for column in table.plain_columns() {
        require_column(table, &columns, column)?;
    }
    refuse_kind(db, engine, table).await?;
    refuse_loose(db, engine, table, &columns).await?;
    refuse_triggers(db, table).await?;
    let mut originals = match engine {
        Engine::Postgres => postgres::originals(db, table).await?,
        Engine::Sqlite => sqlite::originals(db, table).await?,
        Engine::MySql | Engine::MariaDb => mysql::originals(db, table).await?,
    };
    originals.sort_by_key(|(_, original)| original.place);
    for (column, original) in &originals {
        let has_index =
            table.columns.iter().any(|it| it.plain == Some(*column) && it.index.is_some());
        if original.is_unique() && !has_index {
            return Err(Unsealable::UniqueWithoutIndex { table: table.name, column });
        }
    }
    Ok(originals)
}

/// Columns for cells are made, never found: nobody knows what would be in them.
pub(super) async fn refuse_taken(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    let there = columns(db, engine, table).await?;
    let wanted =
        table.columns.iter().flat_map(|column| std::iter::once(column.sealed).chain(column.index));
    for column in wanted {
        if there.iter().any(|(name, _)| name.eq_ignore_ascii_case(column)) {
            return Err(Unsealable::ColumnTaken { table: table.name, column });
        }
    }
    Ok(())
}

/// Whether a table has its cell columns, none of its plaintext columns and no row: made for a test, from the entity.
pub(super) async fn is_made_sealed(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<bool, Unsealable> {
    let there = columns(db, engine, table).await?;
    let has = |column: &str| there.iter().any(|(name, _)| name.eq_ignore_ascii_case(column));
    let cells = || {
        table.columns.iter().flat_map(|column| std::iter::once(column.sealed).chain(column.index))
    };
    if table.plain_columns().any(has) || !cells().all(has) {
        return Ok(false);
    }
    is_empty(db, engine, table).await
}

/// The cells of a table that was made with them stand in columns of bytes.
pub(super) async fn inspect_cells(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    let there = columns(db, engine, table).await?;
    refuse_loose(db, engine, table, &there).await?;
    let index =
        |column: &SealedColumn| column.index.map(|index| (index, "bytes, such as varbinary(16)"));
    let cell = |column: &SealedColumn| {
        (
            column.sealed,
            if engine == Engine::Postgres {
                "bytea"
            } else {
                "bytes of any length, such as a mediumblob"
            },
        )
    };
    for (column, wanted) in
        table.columns.iter().flat_map(|column| std::iter::once(cell(column)).chain(index(column)))
    {
        let found = require_column(table, &there, column)?.to_lowercase();
        let is_bytes = ["bytea", "blob", "binary"].iter().any(|kind| found.contains(kind));
        let is_index = table.columns.iter().any(|it| it.index == Some(column));
        if !is_bytes || (changes_cells(engine, &found) && !is_index) {
            return Err(Unsealable::Type { table: table.name, column, found, wanted });
        }
    }
    Ok(())
}

/// Pads a cell, or has no room for one; sessions that are not strict cut it.
fn changes_cells(engine: Engine, kind: &str) -> bool {
    matches!(engine, Engine::MySql | Engine::MariaDb)
        && (kind.starts_with("binary") || kind == "tinyblob")
}

fn require_column<'a>(
    table: &SealedTable,
    there: &'a [(String, String)],
    column: &'static str,
) -> Result<&'a str, Unsealable> {
    let found = there.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
    found.map(|(_, kind)| kind.as_str()).ok_or(Unsealable::NoColumn { table: table.name, column })
}

/// Names and types, in order; of cells and blind indexes the type beneath their domains.
pub(super) async fn columns(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<Vec<(String, String)>, Unsealable> {
    if !has_table(db, table.name).await? {
        return Err(Unsealable::NoTable(table.name));
    }
    let sql = match engine {
        Engine::Sqlite => "SELECT name, type AS kind FROM pragma_table_info($1) ORDER BY cid",
        Engine::Postgres => {
            "SELECT a.attname::text AS name, format_type(CASE WHEN t.typtype = 'd' AND starts_with(t.typname, 'strongroom_') \
             THEN t.typbasetype ELSE t.oid END, a.atttypmod)::text AS kind FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        }
        Engine::MySql | Engine::MariaDb => {
            "SELECT column_name AS name, column_type AS kind FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = $1 ORDER BY ordinal_position"
        }
    };
    let rows = query(db, sql, &[table.name]).await?;
    Ok(rows
        .iter()
        .map(|row| Ok((required_text(row, "name")?, required_text(row, "kind")?)))
        .collect::<Result<_, DbErr>>()?)
}

async fn query(
    db: &impl ConnectionTrait,
    sql: &str,
    values: &[&str],
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(statement(
        db.get_database_backend(),
        sql,
        values.iter().map(|value| (*value).into()),
    ))
    .await
}

/// The catalogue's texts come as bytes from some servers.
fn text(row: &QueryResult, name: &str) -> Result<Option<String>, DbErr> {
    row.try_get::<Option<String>>("", name).or_else(|_| {
        let bytes = row.try_get::<Option<Vec<u8>>>("", name)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    })
}

fn required_text(row: &QueryResult, name: &str) -> Result<String, DbErr> {
    Ok(text(row, name)?.unwrap_or_default())
}

fn entangled(table: &SealedTable, column: &'static str, what: impl Into<String>) -> Unsealable {
    Unsealable::Entangled { table: table.name, column, what: what.into() }
}
