//! The compare-and-swap statement of a page, and how bytes and text meet on each engine.

use std::fmt::Write as _;

use sea_orm::{DbBackend, Statement, Value};
use strongroom_entity::{IdColumn, IdKind, OwnerColumn, OwnerKind, SealedTable};
use uuid::Uuid;

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
    /// Finds the row where it is known; the id must be the same all the same.
    pub(super) rowid: Option<i64>,
    pub(super) id: String,
    pub(super) old: Vec<Option<Vec<u8>>>,
    pub(super) new: Vec<Option<Vec<u8>>>,
}

/// Changes every row that is still as it was read, in one statement; its count says how many were.
/// `changes` must not be empty, and all have a rowid where its name is given. The columns `kept` are set to themselves:
/// MySQL and MariaDB leave those alone.
pub(super) fn compare_and_swap(
    engine: DbBackend,
    table: &SealedTable,
    rowid: Option<&str>,
    compare: &[Slot],
    set: &[Slot],
    kept: &[String],
    changes: &[Change],
) -> Statement {
    let set_to_itself = kept.iter().map(|column| {
        let column = of_table(table, &column.replace('`', "``"), engine);
        format!("{column} = {column}")
    });
    let assignments = set.iter().enumerate().map(|(n, slot)| slot.assignment(n, table, engine));
    let assignments: Vec<_> = assignments.chain(set_to_itself).collect();
    let conditions: Vec<_> =
        compare.iter().enumerate().map(|(n, slot)| slot.condition(n, table, engine)).collect();
    let (assignments, conditions) = (assignments.join(", "), conditions.join(" AND "));
    let names = names(rowid.is_some(), compare.len(), set.len());
    let (name, id) = (quoted(engine, table.name), quoted(engine, table.id.name));
    let sql = match engine {
        DbBackend::MySql => format!(
            "UPDATE {name} JOIN ({}{}) v ON {name}.{id} = v.id SET {assignments} WHERE {conditions}",
            shape(table, &names, compare.iter().chain(set)),
            format!(" UNION ALL SELECT {}", vec!["?"; names.len()].join(", "))
                .repeat(changes.len()),
        ),
        _ => format!(
            "WITH v ({}) AS (VALUES {}) UPDATE {name} SET {assignments} FROM v WHERE {}{name}.{id} = v.id AND {conditions}",
            names.join(", "),
            tuples(changes.len(), names.len(), table.id.kind, engine),
            rowid.map_or_else(String::new, |rowid| format!("{name}.{rowid} = v.place AND ")),
        ),
    };
    let values = changes.iter().flat_map(|change| {
        let cells = change.old.iter().chain(&change.new).map(|bytes| Value::Bytes(bytes.clone()));
        let place = rowid.map(|_| change.rowid.into());
        place.into_iter().chain([id_value(table.id, &change.id)]).chain(cells)
    });
    Statement::from_sql_and_values(engine, sql, values)
}

impl Slot {
    fn assignment(self, n: usize, table: &SealedTable, engine: DbBackend) -> String {
        let text = match engine {
            DbBackend::Postgres => format!("convert_from(v.new{n}, 'UTF8')"),
            DbBackend::MySql => format!("CONVERT(v.new{n} USING utf8mb4)"),
            _ => format!("CAST(v.new{n} AS TEXT)"),
        };
        match (self, engine) {
            // A joined update names the table of each column.
            (Self::Bytes(column), DbBackend::MySql) => {
                format!("{} = v.new{n}", of_table(table, column, engine))
            }
            (Self::Text(column), DbBackend::MySql) => {
                format!("{} = {text}", of_table(table, column, engine))
            }
            (Self::Bytes(column), _) => format!("{} = v.new{n}", quoted(engine, column)),
            (Self::Text(column), _) => format!("{} = {text}", quoted(engine, column)),
        }
    }

    fn condition(self, n: usize, table: &SealedTable, engine: DbBackend) -> String {
        self.is(&format!("v.old{n}"), table, engine)
    }

    /// NULL is compared like a value.
    pub(super) fn is(self, bytes: &str, table: &SealedTable, engine: DbBackend) -> String {
        let there = match self {
            Self::Bytes(column) => of_table(table, column, engine),
            Self::Text(column) => text_as_bytes(&of_table(table, column, engine), engine),
        };
        let same = if engine == DbBackend::MySql { "<=>" } else { "IS NOT DISTINCT FROM" };
        format!("{there} {same} {bytes}")
    }
}

/// The columns of the list of changes.
fn names(by_rowid: bool, compared: usize, set: usize) -> Vec<String> {
    let old = (0..compared).map(|n| format!("old{n}"));
    let new = (0..set).map(|n| format!("new{n}"));
    let place = by_rowid.then(|| "place".to_owned());
    place.into_iter().chain(["id".to_owned()]).chain(old).chain(new).collect()
}

/// A select without rows that gives the list of changes its types: those of the table's own columns. A bare
/// parameter would be text where all of its bytes are ASCII, and a cast one is cut at 64 kB; an id of another
/// character set than the table's would lose the primary key.
fn shape<'a>(
    table: &SealedTable,
    names: &[String],
    slots: impl Iterator<Item = &'a Slot>,
) -> String {
    let of_shape = |column: &str| format!("{SHAPE}.{}", quoted(DbBackend::MySql, column));
    let columns = slots.map(|slot| match slot {
        Slot::Bytes(column) => of_shape(column),
        Slot::Text(column) => text_as_bytes(&of_shape(column), DbBackend::MySql),
    });
    let columns = std::iter::once(of_shape(table.id.name))
        .chain(columns)
        .zip(names)
        .map(|(column, name)| format!("{column} AS {name}"));
    let list = columns.collect::<Vec<_>>().join(", ");
    format!("SELECT {list} FROM {} AS {SHAPE} WHERE FALSE", quoted(DbBackend::MySql, table.name))
}

/// The name under which [`shape`] reads the table: where tables are locked, each name is locked by itself.
const SHAPE: &str = "shape";

/// `($1, $2), ($3, $4), …`; the first tuple's casts give the columns their types on PostgreSQL.
fn tuples(rows: usize, width: usize, id: IdKind, engine: DbBackend) -> String {
    let mut list = String::with_capacity(rows * width * 7);
    for row in 0..rows {
        list.push_str(if row == 0 { "(" } else { "), (" });
        for column in 0..width {
            let separator = if column == 0 { "" } else { ", " };
            let cast = match (engine, row, column) {
                (DbBackend::Postgres, 0, 0) if id == IdKind::Uuid => "::uuid",
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
pub(super) fn quoted(engine: DbBackend, identifier: &str) -> String {
    if engine == DbBackend::MySql { format!("`{identifier}`") } else { format!("\"{identifier}\"") }
}

/// A text column, read as its bytes.
pub(super) fn read_bytes(column: &str, engine: DbBackend) -> String {
    text_as_bytes(&quoted(engine, column), engine)
}

/// An owner column, read as the bytes that it is compared by.
pub(super) fn read_owner(owner: OwnerColumn, engine: DbBackend) -> String {
    match owner_slot(owner, engine) {
        Slot::Bytes(column) => quoted(engine, column),
        Slot::Text(column) => read_bytes(column, engine),
    }
}

/// A UUID is text on PostgreSQL and 16 bytes elsewhere; a number has its digits everywhere.
pub(super) fn owner_slot(owner: OwnerColumn, engine: DbBackend) -> Slot {
    match (owner.kind, engine) {
        (OwnerKind::Uuid, DbBackend::MySql | DbBackend::Sqlite) => Slot::Bytes(owner.name),
        _ => Slot::Text(owner.name),
    }
}

/// A row's id as the database has it.
pub(super) fn id_value(id: IdColumn, text: &str) -> Value {
    match id.kind {
        IdKind::Text => text.into(),
        IdKind::Uuid => Value::Uuid(Uuid::try_parse(text).ok()),
    }
}

fn of_table(table: &SealedTable, column: &str, engine: DbBackend) -> String {
    format!("{}.{}", quoted(engine, table.name), quoted(engine, column))
}

/// Bytes in UTF-8, whatever the character set of the column.
fn text_as_bytes(expression: &str, engine: DbBackend) -> String {
    match engine {
        DbBackend::Postgres => format!("convert_to({expression}::text, 'UTF8')"),
        DbBackend::MySql => format!("CAST(CONVERT({expression} USING utf8mb4) AS BINARY)"),
        _ => format!("CAST({expression} AS BLOB)"),
    }
}
