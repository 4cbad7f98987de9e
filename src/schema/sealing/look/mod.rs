//! Looking at a table that is about to be sealed. Reads only.

mod mysql;
mod postgres;
mod rows;
mod sqlite;

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_entity::SealedTable;
use strongroom_migration::Engine;

pub(super) use rows::{refuse_rows, refuse_rows_of_cells};
pub(super) use sqlite::{made, referring};

use super::error::Unsealable;
use super::former::Formers;
use crate::db::{has_table, statement};

/// What the plaintext columns are like, so that they can be given back; refuses what could not be.
pub(super) async fn look(db: &impl ConnectionTrait, engine: Engine, table: &'static SealedTable) -> Result<Formers, Unsealable> {
    let columns = columns(db, engine, table).await?;
    for column in [table.id.name].into_iter().chain(table.owners.iter().map(|owner| owner.name)).chain(table.plain_columns()) {
        require_column(table, &columns, column)?;
    }
    let mut formers = match engine {
        Engine::Postgres => postgres::formers(db, table).await?,
        Engine::Sqlite => sqlite::formers(db, table).await?,
        Engine::MySql | Engine::MariaDb => mysql::formers(db, table).await?,
    };
    formers.sort_by_key(|(_, former)| former.place);
    Ok(formers)
}

/// Columns for cells are made, never found: nobody knows what would be in them.
pub(super) async fn refuse_taken(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    let there = columns(db, engine, table).await?;
    let wanted = table.columns.iter().flat_map(|column| std::iter::once(column.sealed).chain(column.index));
    for column in wanted {
        if there.iter().any(|(name, _)| name.eq_ignore_ascii_case(column)) {
            return Err(Unsealable::ColumnTaken { table: table.name, column });
        }
    }
    Ok(())
}

/// The cells of a table that was made with them stand in columns of bytes.
pub(super) async fn look_at_cells(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    let there = columns(db, engine, table).await?;
    for column in [table.id.name].into_iter().chain(table.owners.iter().map(|owner| owner.name)) {
        require_column(table, &there, column)?;
    }
    for column in table.columns.iter().flat_map(|column| std::iter::once(column.sealed).chain(column.index)) {
        let found = require_column(table, &there, column)?.to_lowercase();
        if !["bytea", "blob", "binary"].iter().any(|kind| found.contains(kind)) {
            return Err(Unsealable::Type { table: table.name, column, found, wanted: "bytes" });
        }
    }
    Ok(())
}

fn require_column<'a>(table: &SealedTable, there: &'a [(String, String)], column: &'static str) -> Result<&'a str, Unsealable> {
    let found = there.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
    found.map(|(_, kind)| kind.as_str()).ok_or(Unsealable::NoColumn { table: table.name, column })
}

/// Names and types, in order.
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
            "SELECT attname::text AS name, format_type(atttypid, atttypmod)::text AS kind FROM pg_attribute \
             WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        }
        Engine::MySql | Engine::MariaDb => {
            "SELECT column_name AS name, column_type AS kind FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = $1 ORDER BY ordinal_position"
        }
    };
    let rows = query(db, sql, &[table.name]).await?;
    Ok(rows.iter().map(|row| Ok((required_text(row, "name")?, required_text(row, "kind")?))).collect::<Result<_, DbErr>>()?)
}

async fn query(db: &impl ConnectionTrait, sql: &str, values: &[&str]) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(statement(db.get_database_backend(), sql, values.iter().map(|value| (*value).into()))).await
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
