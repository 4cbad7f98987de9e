//! The compare-and-swap statement of a page, and how bytes and text meet on each engine.

use std::fmt::Write as _;

use sea_orm::{DbBackend, Statement, Value};
use strongroom_entity::SealedTable;

/// A column that is compared or set.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    /// Bytes in the database.
    Bytes(&'static str),
    /// Text in the database, bytes here.
    Text(&'static str),
}

/// One row's change: what must still be there, and what takes its place. In the order of the slots.
pub(super) struct Change {
    pub(super) id: String,
    pub(super) old: Vec<Option<Vec<u8>>>,
    pub(super) new: Vec<Option<Vec<u8>>>,
}

/// Changes every row that is still as it was read, in one statement; its count says how many were.
pub(super) fn compare_and_swap(
    engine: DbBackend,
    table: &SealedTable,
    compare: &[Slot],
    set: &[Slot],
    changes: &[Change],
) -> Statement {
    let mut names = vec!["id".to_owned()];
    names.extend((0..compare.len()).map(|n| format!("old{n}")));
    names.extend((0..set.len()).map(|n| format!("new{n}")));
    let assignments: Vec<_> = set.iter().enumerate().map(|(n, slot)| slot.assignment(n, engine)).collect();
    let conditions: Vec<_> = compare.iter().enumerate().map(|(n, slot)| slot.condition(n, table, engine)).collect();
    let sql = format!(
        "WITH v ({}) AS (VALUES {}) UPDATE {table} SET {} FROM v WHERE {table}.{} = v.id AND {}",
        names.join(", "),
        tuples(changes.len(), names.len(), engine),
        assignments.join(", "),
        quoted(table.id),
        conditions.join(" AND "),
        table = quoted(table.name),
    );
    let values = changes.iter().flat_map(|change| {
        let cells = change.old.iter().chain(&change.new).map(|bytes| Value::Bytes(bytes.clone()));
        std::iter::once(Value::from(change.id.as_str())).chain(cells)
    });
    Statement::from_sql_and_values(engine, sql, values)
}

impl Slot {
    fn assignment(self, n: usize, engine: DbBackend) -> String {
        match (self, engine) {
            (Self::Bytes(column), _) => format!("{} = v.new{n}", quoted(column)),
            (Self::Text(column), DbBackend::Postgres) => format!("{} = convert_from(v.new{n}, 'UTF8')", quoted(column)),
            (Self::Text(column), _) => format!("{} = CAST(v.new{n} AS TEXT)", quoted(column)),
        }
    }

    fn condition(self, n: usize, table: &SealedTable, engine: DbBackend) -> String {
        let there = match self {
            Self::Bytes(column) => format!("{}.{}", quoted(table.name), quoted(column)),
            Self::Text(column) => text_as_bytes(&format!("{}.{}", quoted(table.name), quoted(column)), engine),
        };
        format!("{there} IS NOT DISTINCT FROM v.old{n}")
    }
}

/// `($1, $2), ($3, $4), …`; the first tuple's casts give the columns their types on PostgreSQL.
fn tuples(rows: usize, width: usize, engine: DbBackend) -> String {
    let mut list = String::with_capacity(rows * width * 7);
    for row in 0..rows {
        list.push_str(if row == 0 { "(" } else { "), (" });
        for column in 0..width {
            let separator = if column == 0 { "" } else { ", " };
            let cast = match (engine, row, column) {
                (DbBackend::Postgres, 0, 0) => "::text",
                (DbBackend::Postgres, 0, _) => "::bytea",
                _ => "",
            };
            list.push_str(separator);
            match engine {
                DbBackend::Postgres => {
                    let _ = write!(list, "${}{cast}", row * width + column + 1);
                }
                // SQLite looks a numbered parameter up among all before it: thousands of them take seconds.
                _ => list.push('?'),
            }
        }
    }
    list + ")"
}

/// An identifier from source code.
pub(super) fn quoted(identifier: &str) -> String {
    format!("\"{identifier}\"")
}

/// A text column, read as its bytes.
pub(super) fn read_bytes(column: &str, engine: DbBackend) -> String {
    text_as_bytes(&quoted(column), engine)
}

fn text_as_bytes(expression: &str, engine: DbBackend) -> String {
    match engine {
        DbBackend::Postgres => format!("convert_to({expression}, 'UTF8')"),
        _ => format!("CAST({expression} AS BLOB)"),
    }
}
