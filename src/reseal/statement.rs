//! The compare-and-swap statement of a page, and how bytes and text meet on each dialect.

use sea_orm::{Statement, Value};
use strongroom_entity::{IdColumn, IdKind, OwnerColumn, OwnerKind, SealedTable};
use uuid::Uuid;

use crate::db::Dialect;

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
    dialect: Dialect,
    table: &SealedTable,
    rowid: Option<&str>,
    compare: &[Slot],
    set: &[Slot],
    kept: &[String],
    changes: &[Change],
) -> Statement {
    let set_to_itself = kept.iter().map(|column| {
        let column = of_table(table, column, dialect);
        format!("{column} = {column}")
    });
    let assignments = set.iter().enumerate().map(|(n, slot)| slot.assignment(n, table, dialect));
    let assignments: Vec<_> = assignments.chain(set_to_itself).collect();
    let conditions: Vec<_> =
        compare.iter().enumerate().map(|(n, slot)| slot.condition(n, table, dialect)).collect();
    let (assignments, conditions) = (assignments.join(", "), conditions.join(" AND "));
    let names = names(rowid.is_some(), compare.len(), set.len());
    let (name, id) = (dialect.quoted(table.name), dialect.quoted(table.id.name));
    let sql = if dialect.updates_by_join() {
        format!(
            "UPDATE {name} JOIN ({}{}) v ON {name}.{id} = v.id SET {assignments} WHERE {conditions}",
            shape(table, &names, compare.iter().chain(set), dialect),
            format!(" UNION ALL SELECT {}", vec!["?"; names.len()].join(", "))
                .repeat(changes.len()),
        )
    } else {
        format!(
            "WITH v ({}) AS (VALUES {}) UPDATE {name} SET {assignments} FROM v WHERE {}{name}.{id} = v.id AND {conditions}",
            names.join(", "),
            tuples(changes.len(), names.len(), table.id.kind, dialect),
            rowid.map_or_else(String::new, |rowid| format!("{name}.{rowid} = v.place AND ")),
        )
    };
    let values = changes.iter().flat_map(|change| {
        let cells = change.old.iter().chain(&change.new).map(|bytes| Value::Bytes(bytes.clone()));
        let place = rowid.map(|_| change.rowid.into());
        place.into_iter().chain([id_value(table.id, &change.id)]).chain(cells)
    });
    Statement::from_sql_and_values(dialect.backend(), sql, values)
}

impl Slot {
    fn assignment(self, n: usize, table: &SealedTable, dialect: Dialect) -> String {
        let new = format!("v.new{n}");
        let (column, value) = match self {
            Self::Bytes(column) => (column, new),
            Self::Text(column) => (column, dialect.bytes_as_text(&new)),
        };
        let column = if dialect.updates_by_join() {
            of_table(table, column, dialect)
        } else {
            dialect.quoted(column)
        };
        format!("{column} = {value}")
    }

    fn condition(self, n: usize, table: &SealedTable, dialect: Dialect) -> String {
        self.is(&format!("v.old{n}"), table, dialect)
    }

    /// NULL is compared like a value.
    pub(super) fn is(self, bytes: &str, table: &SealedTable, dialect: Dialect) -> String {
        let there = match self {
            Self::Bytes(column) => of_table(table, column, dialect),
            Self::Text(column) => dialect.text_as_bytes(&of_table(table, column, dialect)),
        };
        format!("{there} {} {bytes}", dialect.is_same())
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
    dialect: Dialect,
) -> String {
    let of_shape = |column: &str| format!("{SHAPE}.{}", dialect.quoted(column));
    let columns = slots.map(|slot| match slot {
        Slot::Bytes(column) => of_shape(column),
        Slot::Text(column) => dialect.text_as_bytes(&of_shape(column)),
    });
    let columns = std::iter::once(of_shape(table.id.name))
        .chain(columns)
        .zip(names)
        .map(|(column, name)| format!("{column} AS {name}"));
    let list = columns.collect::<Vec<_>>().join(", ");
    format!("SELECT {list} FROM {} AS {SHAPE} WHERE FALSE", dialect.quoted(table.name))
}

/// The name under which [`shape`] reads the table: where tables are locked, each name is locked by itself.
const SHAPE: &str = "shape";

/// `($1, $2), ($3, $4), …`; the first tuple's casts give the columns their types on PostgreSQL.
fn tuples(rows: usize, width: usize, id: IdKind, dialect: Dialect) -> String {
    let id = if id == IdKind::Uuid { "uuid" } else { "text" };
    let mut list = String::with_capacity(rows * width * 7);
    for row in 0..rows {
        list.push_str(if row == 0 { "(" } else { "), (" });
        for column in 0..width {
            let parameter = dialect.parameter(row * width + column + 1);
            let kind = if column == 0 { id } else { "bytea" };
            let separator = if column == 0 { "" } else { ", " };
            list.push_str(separator);
            if row == 0 {
                list.push_str(&dialect.typed(&parameter, kind));
            } else {
                list.push_str(&parameter);
            }
        }
    }
    list + ")"
}

/// A text column, read as its bytes.
pub(super) fn read_bytes(column: &str, dialect: Dialect) -> String {
    dialect.text_as_bytes(&dialect.quoted(column))
}

/// An owner column, read as the bytes that it is compared by.
pub(super) fn read_owner(owner: OwnerColumn, dialect: Dialect) -> String {
    match owner_slot(owner, dialect) {
        Slot::Bytes(column) => dialect.quoted(column),
        Slot::Text(column) => read_bytes(column, dialect),
    }
}

/// A UUID is text on PostgreSQL and 16 bytes elsewhere; a number has its digits everywhere.
pub(super) fn owner_slot(owner: OwnerColumn, dialect: Dialect) -> Slot {
    if owner.kind == OwnerKind::Uuid && dialect.has_uuids_as_bytes() {
        Slot::Bytes(owner.name)
    } else {
        Slot::Text(owner.name)
    }
}

/// A row's id as the database has it.
pub(super) fn id_value(id: IdColumn, text: &str) -> Value {
    match id.kind {
        IdKind::Text => text.into(),
        IdKind::Uuid => Value::Uuid(Uuid::try_parse(text).ok()),
    }
}

fn of_table(table: &SealedTable, column: &str, dialect: Dialect) -> String {
    format!("{}.{}", dialect.quoted(table.name), dialect.quoted(column))
}
