//! SQLite. Where it cannot alter the table, the table is made anew around this SQL: see the module of the rebuild.

use strongroom_entity::SealedTable;
use strongroom_migration::Engine;

use super::{Piece, changed};
use crate::schema::sealing::guard::{DmlEvent, Guard, shortened, stale};
use crate::schema::sealing::original::OriginalColumns;

const ENGINE: Engine = Engine::Sqlite;

pub(super) fn statements(piece: Piece<'_>, table: &SealedTable) -> Vec<String> {
    match piece {
        Piece::AddCells => {
            let guards =
                [guard(Guard::Cell, table), vec![stale_guard(table)], guard(Guard::Key, table)];
            [add_cells(table), guards.concat()].concat()
        }
        Piece::DropCells => {
            [drop_all(&[Guard::Key, Guard::Stale, Guard::Cell], table), drop_cells(table)].concat()
        }
        // SQLite cannot add NOT NULL to a column: the guard alone requires the cells.
        Piece::GuardRequired => {
            [drop_guard(Guard::Required, table), guard(Guard::Required, table)].concat()
        }
        Piece::ProveRequired | Piece::Require | Piece::Hold | Piece::LetIn => Vec::new(),
        Piece::Record => [stop_recording(table), record(table)].concat(),
        Piece::StopRecording => stop_recording(table),
        Piece::Release => drop_guard(Guard::Required, table),
        Piece::Bind => [drop_guard(Guard::Bound, table), guard(Guard::Bound, table)].concat(),
        Piece::DropPlaintext(originals) => [
            drop_all(&[Guard::Required, Guard::Stale, Guard::Restoring], table),
            drop_plaintext(originals, table),
        ]
        .concat(),
        Piece::AddPlaintext(originals) => {
            [add_plaintext(originals, table), guard(Guard::Restoring, table)].concat()
        }
        Piece::RestorePlaintext(originals) => [
            drop_all(&[Guard::Restoring, Guard::Bound], table),
            originals
                .iter()
                .flat_map(|(_, original)| &original.indexes)
                .map(|index| format!("{};", index.sql))
                .collect(),
            vec![stale_guard(table)],
            guard(Guard::Required, table),
        ]
        .concat(),
        Piece::GuardBorn => [
            drop_all(&[Guard::Cell, Guard::Bound, Guard::Key], table),
            guard(Guard::Cell, table),
            guard(Guard::Bound, table),
            guard(Guard::Key, table),
        ]
        .concat(),
        Piece::DropGuards => [
            drop_all(
                &[
                    Guard::Cell,
                    Guard::Stale,
                    Guard::Required,
                    Guard::Restoring,
                    Guard::Bound,
                    Guard::Key,
                ],
                table,
            ),
            stop_recording(table),
        ]
        .concat(),
        Piece::Scrub => vec!["VACUUM;".to_owned()],
    }
}

fn name(table: &SealedTable) -> String {
    ENGINE.quoted(table.name)
}

fn add_cells(table: &SealedTable) -> Vec<String> {
    let cells = table.columns.iter().map(|column| column.sealed);
    let columns = cells.chain(table.columns.iter().filter_map(|column| column.index));
    let added = columns.map(|column| {
        format!("ALTER TABLE {} ADD COLUMN {} blob;", name(table), ENGINE.quoted(column))
    });
    let indexes = table.columns.iter().filter_map(|column| column.index);
    let indexes = indexes.map(|it| {
        format!(
            "CREATE UNIQUE INDEX {} ON {} ({});",
            index_name(it, table),
            name(table),
            ENGINE.quoted(it)
        )
    });
    added.chain(indexes).collect()
}

fn index_name(index: &str, table: &SealedTable) -> String {
    ENGINE.quoted(&shortened(table.name, index))
}

/// An index does not go with its column.
fn drop_cells(table: &SealedTable) -> Vec<String> {
    let indexes = table.columns.iter().filter_map(|column| column.index);
    let dropped = indexes.map(|index| format!("DROP INDEX {};", index_name(index, table)));
    let columns =
        table.columns.iter().flat_map(|column| std::iter::once(column.sealed).chain(column.index));
    dropped.chain(columns.map(|column| drop_column(column, table))).collect()
}

fn drop_column(column: &str, table: &SealedTable) -> String {
    format!("ALTER TABLE {} DROP COLUMN {};", name(table), ENGINE.quoted(column))
}

/// After a way down that was given up the indexes are not there yet.
fn drop_plaintext(originals: &OriginalColumns, table: &SealedTable) -> Vec<String> {
    let indexes = originals.iter().flat_map(|(_, original)| &original.indexes);
    let indexes =
        indexes.map(|index| format!("DROP INDEX IF EXISTS {};", ENGINE.quoted(&index.name)));
    let simple = originals.iter().filter(|(_, original)| !original.constrained);
    indexes.chain(simple.map(|(column, _)| drop_column(column, table))).collect()
}

fn add_plaintext(originals: &OriginalColumns, table: &SealedTable) -> Vec<String> {
    let added = originals.iter().map(|(column, original)| {
        let definition = original.definition.clone().filter(|_| !original.constrained);
        let definition =
            definition.unwrap_or_else(|| format!("{} {}", ENGINE.quoted(column), original.kind));
        // The definition may end with a comment.
        format!("ALTER TABLE {} ADD COLUMN {}\n;", name(table), definition.trim_start())
    });
    added.collect()
}

fn guard(guard: Guard, table: &SealedTable) -> Vec<String> {
    let made = |event: DmlEvent| {
        format!(
            "CREATE TRIGGER {} BEFORE {} ON {}\nWHEN {}\nBEGIN\n    SELECT RAISE(ABORT, '{}');\nEND;",
            guard.name(event, table),
            event.as_sql(),
            name(table),
            guard.refuses(event, table, ENGINE),
            guard.message(table),
        )
    };
    DmlEvent::BOTH.into_iter().map(made).collect()
}

/// A trigger cannot change the row that is being written: it changes it right after.
fn stale_guard(table: &SealedTable) -> String {
    let emptied = table.columns.iter().flat_map(|column| {
        let stale = stale(table, column, ENGINE);
        let columns =
            std::iter::once(column.sealed).chain(column.index).map(|it| ENGINE.quoted(it));
        columns
            .map(move |it| format!("{it} = CASE WHEN {stale} THEN NULL ELSE {it} END"))
            .collect::<Vec<_>>()
    });
    let id = ENGINE.quoted(table.id.name);
    format!(
        "CREATE TRIGGER {} AFTER UPDATE ON {}\nWHEN {}\nBEGIN\n    UPDATE {} SET\n        {}\n    WHERE {id} IS new.{id};\nEND;",
        Guard::Stale.name(DmlEvent::Update, table),
        name(table),
        Guard::Stale.refuses(DmlEvent::Update, table, ENGINE),
        name(table),
        emptied.collect::<Vec<_>>().join(",\n        "),
    )
}

fn record(table: &SealedTable) -> Vec<String> {
    let side = changed(table);
    let made = format!("CREATE TABLE {side} (n integer PRIMARY KEY, id);");
    let noted = DmlEvent::BOTH.map(|event| {
        format!(
            "CREATE TRIGGER {} AFTER {} ON {}\nBEGIN\n    INSERT INTO {side} (id) VALUES (new.{});\nEND;",
            Guard::Changed.name(event, table),
            event.as_sql(),
            name(table),
            ENGINE.quoted(table.id.name),
        )
    });
    std::iter::once(made).chain(noted).collect()
}

fn stop_recording(table: &SealedTable) -> Vec<String> {
    let dropped = format!("DROP TABLE IF EXISTS {};", changed(table));
    drop_guard(Guard::Changed, table).into_iter().chain([dropped]).collect()
}

fn drop_all(guards: &[Guard], table: &SealedTable) -> Vec<String> {
    guards.iter().flat_map(|guard| drop_guard(*guard, table)).collect()
}

fn drop_guard(guard: Guard, table: &SealedTable) -> Vec<String> {
    DmlEvent::BOTH
        .into_iter()
        .map(|event| format!("DROP TRIGGER IF EXISTS {};", guard.name(event, table)))
        .collect()
}
