//! The guards that a table with sealed columns has: what each refuses, said once for every engine.
//!
//! They are triggers, one for inserts and one for updates. A CHECK, or a NOT NULL beside plaintext, would print the refused
//! row into the error and the server's log on PostgreSQL, make MySQL copy the table with writers shut out, and can be
//! switched off by any session on MariaDB. On PostgreSQL [`Guard::Cell`] is a domain instead, which prints nothing either
//! and costs less.

mod key;

pub(super) use key::checks as key_checks;

use crate::db::{Dialect, HOLDS, KEY_IS_GONE};
use crate::reseal::trigger_condition;
use sha2::{Digest as _, Sha256};
use strongroom_entity::{OwnerKind, SealedColumn, SealedTable};
use strongroom_migration::Engine;

/// What a guard is there for. On PostgreSQL triggers of one table fire in the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Plaintext is not stored in a cell column by accident.
    Cell,
    /// A program that knows only plaintext changes a row and leaves its cells behind: they are emptied.
    Stale,
    /// A row without its cells is refused instead of lost.
    Required,
    /// While cells count, only the reseal engine writes plaintext beside them.
    Restoring,
    /// A row does not move away from what its cells are bound to.
    Bound,
    /// Nobody but the engine writes while the table is changed. On MySQL and MariaDB only, where a change of the schema ends
    /// transactions.
    Held,
    /// Not a guard: notes which rows change, so that only those are verified while writers wait.
    Changed,
    /// A cell is stored only while the ring has its key.
    Key,
}

/// What a program does to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DmlEvent {
    Insert,
    Update,
    Delete,
}

impl DmlEvent {
    pub(super) const BOTH: [Self; 2] = [Self::Insert, Self::Update];
    pub(super) const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    pub(super) fn as_sql(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

impl Guard {
    /// Of a trigger, and of its function on PostgreSQL. They share their names with those of other tables.
    pub(super) fn name(self, event: DmlEvent, table: &SealedTable) -> String {
        self.name_for(event, table.name)
    }

    /// The same, of a table that is known by its name alone.
    pub(super) fn name_for(self, event: DmlEvent, table: &str) -> String {
        let part = match self {
            Self::Cell => "0_cell",
            Self::Stale => "1_stale",
            Self::Required => "2_required",
            Self::Restoring => "3_restoring",
            Self::Bound => "4_bound",
            Self::Held => "8_held",
            Self::Changed => "9_changed",
            Self::Key => "5_key",
        };
        shortened(&format!("strongroom_{part}_{}", event.as_sql().to_lowercase()), table)
    }

    /// The condition on which a event is refused, empty where none is; for [`Guard::Stale`] see [`stale`].
    pub(super) fn refuses(self, event: DmlEvent, table: &SealedTable, engine: Engine) -> String {
        let columns = table.columns.iter();
        let any: Vec<String> = match self {
            Self::Cell => columns.flat_map(|column| not_cells(column, "new.", engine)).collect(),
            Self::Stale => columns.map(|column| stale(table, column, engine)).collect(),
            Self::Required => columns.map(|column| lacks(column, engine)).collect(),
            Self::Restoring => vec![strays(event, table, engine)],
            Self::Held => vec![trigger_condition(table.name)],
            Self::Changed => Vec::new(),
            Self::Bound => columns
                .filter(|column| event == DmlEvent::Update || !sees_to_it_itself(column, engine))
                .map(|column| incomplete(column, "new.", engine))
                .chain((event == DmlEvent::Update).then(|| rebound(table, engine)))
                .collect(),
            Self::Key => {
                let checks = key::checks(event, table, engine, KEY_TABLE);
                checks.iter().map(key::KeyCheck::refuses).collect()
            }
        };
        any.join("\n    OR ")
    }

    /// What the program is told. Never a value: errors end up in logs.
    pub(super) fn message(self, table: &SealedTable) -> String {
        let name = table.name;
        match self {
            Self::Cell => format!("a sealed column of {name} takes sealed cells only"),
            // Begins as the server's own text for this number does, because programs look for both.
            Self::Held => format!(
                "Lock wait timeout exceeded; {HOLDS} {name}: try again; if it lasts, run the same migration again"
            ),
            Self::Key => format!("{KEY_IS_GONE}: load the keys of {name} again, and seal again"),
            Self::Stale | Self::Required | Self::Restoring | Self::Changed => {
                format!("{name} takes sealed rows only: this program is older than the database")
            }
            Self::Bound => {
                format!(
                    "changes what the sealed columns of {name} are bound to, or a cell without its index: seal them again together"
                )
            }
        }
    }
}

/// How the names of the guards begin that read another table, and that table. On SQLite a writer's own rights do not count
/// there.
#[cfg(feature = "sqlite")]
pub(crate) const GUARDS_THAT_READ: [(&str, &str); 2] =
    [("strongroom_3_restoring_", "strongroom_reseal"), ("strongroom_5_key_", KEY_TABLE)];

/// The table of the ring's keys.
const KEY_TABLE: &str = "strongroom_key";

/// The longest name that every engine takes.
const LONGEST: usize = 63;

/// `prefix_table`, with the end of a long table's name replaced by a digest of it.
pub(super) fn shortened(prefix: &str, table: &str) -> String {
    let whole = format!("{prefix}_{table}");
    if whole.len() <= LONGEST {
        return whole;
    }
    let digest = hex::encode(Sha256::digest(table)).chars().take(8).collect::<String>();
    let kept: String = whole.chars().take(LONGEST - 9).collect();
    format!("{kept}_{digest}")
}

/// A value by its bytes, so that a change of case or of blanks is one whatever the collation.
pub(super) fn exact(engine: Engine, row: &str, column: &str, kind: OwnerKind) -> String {
    let value = format!("{row}{}", engine.quoted(column));
    if kind == OwnerKind::Text { Dialect::from(engine).exact(&value) } else { value }
}

/// NULL is compared like a value.
fn unchanged(engine: Engine, column: &str, kind: OwnerKind) -> String {
    let same = Dialect::from(engine).is_same();
    format!(
        "{} {same} {}",
        exact(engine, "new.", column, kind),
        exact(engine, "old.", column, kind)
    )
}

/// Cells and indexes are bytes already, which every engine compares as they are.
fn cell_is_left(column: &SealedColumn, engine: Engine) -> String {
    let cell = unchanged(engine, column.sealed, OwnerKind::Uuid);
    format!("new.{} IS NOT NULL AND {cell}", engine.quoted(column.sealed))
}

/// The id and the owners are what they were.
fn bound_as_before(table: &SealedTable, engine: Engine) -> String {
    let id = if table.id.kind == strongroom_entity::IdKind::Uuid {
        OwnerKind::Uuid
    } else {
        OwnerKind::Text
    };
    let owners = table.owners.iter().map(|owner| unchanged(engine, owner.name, owner.kind));
    std::iter::once(unchanged(engine, table.id.name, id))
        .chain(owners)
        .collect::<Vec<_>>()
        .join(" AND ")
}

/// A cell was left behind by a change of its plaintext or of what it is bound to.
pub(super) fn stale(table: &SealedTable, column: &SealedColumn, engine: Engine) -> String {
    let plain = column.plain.map(|plain| unchanged(engine, plain, OwnerKind::Text));
    let same: Vec<_> = std::iter::once(bound_as_before(table, engine)).chain(plain).collect();
    format!("({} AND NOT ({}))", cell_is_left(column, engine), same.join(" AND "))
}

/// A cell was left behind by a change of what it is bound to, and would never open again.
fn rebound(table: &SealedTable, engine: Engine) -> String {
    let left: Vec<_> =
        table.columns.iter().map(|column| format!("({})", cell_is_left(column, engine))).collect();
    format!("(NOT ({}) AND ({}))", bound_as_before(table, engine), left.join(" OR "))
}

/// Bytes that are no envelope or no blind index. NULL is neither.
pub(super) fn not_cells(column: &SealedColumn, row: &str, engine: Engine) -> Vec<String> {
    let cell = format!("{row}{}", engine.quoted(column.sealed));
    let cell = match engine {
        Engine::Postgres => {
            format!("length({cell}) < 112 OR substring({cell} FROM 1 FOR 1) <> '\\x01'::bytea")
        }
        Engine::MySql | Engine::MariaDb => format!("length({cell}) < 112 OR ascii({cell}) <> 1"),
        // The digits of NULL are none, and not NULL.
        Engine::Sqlite => format!(
            "({cell} IS NOT NULL AND (typeof({cell}) <> 'blob' OR length({cell}) < 112 OR hex(substr({cell}, 1, 1)) <> '01'))"
        ),
    };
    let index = column.index.map(|index| {
        let index = format!("{row}{}", engine.quoted(index));
        let is_text = if engine == Engine::Sqlite {
            format!("typeof({index}) NOT IN ('blob', 'null') OR ")
        } else {
            String::new()
        };
        format!("{is_text}length({index}) <> 16")
    });
    std::iter::once(cell).chain(index).collect()
}

/// One of two is there without the other.
fn apart(engine: Engine, one: &str, other: &str) -> String {
    format!("(new.{} IS NULL) <> (new.{} IS NULL)", engine.quoted(one), engine.quoted(other))
}

/// A cell is missing beside its plaintext, or the other way round: while plaintext counts, such a cell would get lost.
fn lacks(column: &SealedColumn, engine: Engine) -> String {
    let mut any = Vec::new();
    if !column.nullable {
        any.push(format!("new.{} IS NULL", engine.quoted(column.sealed)));
    }
    any.extend(column.plain.map(|plain| apart(engine, plain, column.sealed)));
    any.extend(column.index.map(|index| apart(engine, index, column.sealed)));
    any.join(" OR ")
}

/// Whether the columns of a cell take no incomplete row without a trigger. On PostgreSQL both are NOT NULL then; the others
/// have a trigger anyway.
fn sees_to_it_itself(column: &SealedColumn, engine: Engine) -> bool {
    engine == Engine::Postgres && (!column.nullable || column.index.is_none())
}

/// A cell is missing, or stands without its blind index.
pub(super) fn incomplete(column: &SealedColumn, row: &str, engine: Engine) -> String {
    let is_null = |column: &str| format!("{row}{} IS NULL", engine.quoted(column));
    let mut any = Vec::new();
    if !column.nullable {
        any.push(is_null(column.sealed));
    }
    any.extend(
        column.index.map(|index| format!("({}) <> ({})", is_null(index), is_null(column.sealed))),
    );
    if any.is_empty() { "1 = 0".to_owned() } else { any.join(" OR ") }
}

/// Plaintext that somebody else than the engine writes: the cells would overwrite it.
fn strays(event: DmlEvent, table: &SealedTable, engine: Engine) -> String {
    let plain = table.plain_columns();
    if event == DmlEvent::Insert {
        return plain
            .map(|plain| format!("new.{} IS NOT NULL", engine.quoted(plain)))
            .collect::<Vec<_>>()
            .join(" OR ");
    }
    let same: Vec<_> = plain.map(|plain| unchanged(engine, plain, OwnerKind::Text)).collect();
    format!("NOT ({}) AND {}", same.join(" AND "), trigger_condition(table.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_and_stays_its_own() {
        let long = "a".repeat(60);
        let (one, other) = (
            shortened("strongroom_3_restoring_insert", &long),
            shortened("strongroom_3_restoring_insert", &"a".repeat(61)),
        );
        assert_eq!((one.len(), other.len()), (LONGEST, LONGEST));
        assert_ne!(one, other);
        assert_eq!(
            shortened("strongroom_1_stale_update", "api_token"),
            "strongroom_1_stale_update_api_token"
        );
    }
}
