//! PostgreSQL. Cells and blind indexes stand in domains of their own, whose checks cost a statement next to nothing: a
//! trigger's condition is read and compiled by every statement again.

use strongroom_entity::{IdKind, SealedTable};
use strongroom_migration::Engine;

use super::domain::Domain;
use super::{Piece, changed};
use crate::schema::sealing::guard::{DmlEvent, Guard, key_checks, shortened, stale};
use crate::schema::sealing::original::{OriginalColumn, OriginalColumns};

const ENGINE: Engine = Engine::Postgres;

pub(super) fn statements(piece: Piece<'_>, table: &SealedTable) -> Vec<String> {
    match piece {
        Piece::AddCells => [
            of_domains(table, Domain::unchecked),
            add_cells(table),
            of_domains(table, Domain::checked_from_now_on),
            vec![stale_guard(table)],
            key_guard(table),
        ]
        .concat(),
        Piece::DropCells => {
            let columns = table
                .columns
                .iter()
                .flat_map(|column| std::iter::once(column.sealed).chain(column.index));
            [
                drop_all(&[Guard::Key, Guard::Stale], table),
                drop_columns(columns, table),
                of_domains(table, Domain::dropped),
            ]
            .concat()
        }
        Piece::GuardRequired => [
            drop_guard(Guard::Required, table),
            guard(Guard::Required, table),
            drop_proof(table),
            proof(table),
        ]
        .concat(),
        Piece::ProveRequired => prove(table),
        // The proof spares the server reading the table while everybody waits.
        Piece::Require => [alter_required("SET NOT NULL", table), drop_proof(table)].concat(),
        Piece::Release => [
            drop_guard(Guard::Required, table),
            drop_proof(table),
            alter_required("DROP NOT NULL", table),
        ]
        .concat(),
        Piece::Hold | Piece::LetIn => Vec::new(),
        Piece::Record => [stop_recording(table), record(table)].concat(),
        Piece::StopRecording => stop_recording(table),
        Piece::Bind => [drop_guard(Guard::Bound, table), guard(Guard::Bound, table)].concat(),
        Piece::DropPlaintext(_) => {
            let guards = drop_all(&[Guard::Required, Guard::Stale, Guard::Restoring], table);
            [guards, drop_columns(table.plain_columns(), table)].concat()
        }
        Piece::AddPlaintext(originals) => {
            [add_plaintext(originals, table), guard(Guard::Restoring, table)].concat()
        }
        Piece::RestorePlaintext(originals) => [
            drop_all(&[Guard::Restoring, Guard::Bound], table),
            restore(originals, table),
            vec![stale_guard(table)],
            guard(Guard::Required, table),
        ]
        .concat(),
        Piece::GuardBorn => [
            drop_all(&[Guard::Bound, Guard::Key], table),
            of_domains(table, Domain::unchecked),
            of_domains(table, Domain::taken),
            of_domains(table, Domain::checked),
            alter_required("SET NOT NULL", table),
            guard(Guard::Bound, table),
            key_guard(table),
        ]
        .concat(),
        Piece::DropGuards => {
            let all = [Guard::Stale, Guard::Required, Guard::Restoring, Guard::Bound, Guard::Key];
            let guards = drop_all(&all, table);
            [guards, stop_recording(table), of_domains(table, Domain::left)].concat()
        }
        Piece::Scrub => scrub(table),
    }
}

fn of_domains(table: &SealedTable, text: fn(Domain, &SealedTable) -> String) -> Vec<String> {
    Domain::of(table).map(|domain| text(domain, table)).collect()
}

fn name(table: &SealedTable) -> String {
    ENGINE.quoted(table.name)
}

fn alter(table: &SealedTable, actions: &[String]) -> Vec<String> {
    if actions.is_empty() {
        Vec::new()
    } else {
        vec![format!("ALTER TABLE {}\n    {};", name(table), actions.join(",\n    "))]
    }
}

/// Columns that may be NULL and have no default are added without rewriting the table.
fn add_cells(table: &SealedTable) -> Vec<String> {
    let added = Domain::of(table).flat_map(|domain| {
        domain.columns(table).map(move |column| {
            format!("ADD COLUMN {} {}", ENGINE.quoted(column), domain.name(table))
        })
    });
    let indexes = table
        .columns
        .iter()
        .filter_map(|column| column.index)
        .map(|index| unique_index(index, table));
    alter(table, &added.collect::<Vec<_>>()).into_iter().chain(indexes).collect()
}

fn unique_index(index: &str, table: &SealedTable) -> String {
    let own = ENGINE.quoted(&shortened(table.name, index));
    format!("CREATE UNIQUE INDEX {own} ON {} ({});", name(table), ENGINE.quoted(index))
}

/// Its indexes go with a column.
fn drop_columns<'a>(columns: impl Iterator<Item = &'a str>, table: &SealedTable) -> Vec<String> {
    alter(
        table,
        &columns.map(|column| format!("DROP COLUMN {}", ENGINE.quoted(column))).collect::<Vec<_>>(),
    )
}

/// Where a cell is never NULL, nor is its blind index.
fn required(table: &SealedTable) -> impl Iterator<Item = &'static str> {
    let required = table.columns.iter().filter(|column| !column.nullable);
    required.flat_map(|column| std::iter::once(column.sealed).chain(column.index))
}

fn alter_required(action: &str, table: &SealedTable) -> Vec<String> {
    alter(
        table,
        &required(table)
            .map(|column| format!("ALTER COLUMN {} {action}", ENGINE.quoted(column)))
            .collect::<Vec<_>>(),
    )
}

fn proof_name(table: &SealedTable) -> String {
    ENGINE.quoted(&shortened("strongroom_required", table.name))
}

/// A CHECK that the server proves while writers go on. The guard refuses a row before this one would print it.
fn proof(table: &SealedTable) -> Vec<String> {
    let all: Vec<_> =
        required(table).map(|column| format!("{} IS NOT NULL", ENGINE.quoted(column))).collect();
    if all.is_empty() {
        return Vec::new();
    }
    let added =
        format!("ADD CONSTRAINT {} CHECK ({}) NOT VALID", proof_name(table), all.join(" AND "));
    alter(table, &[added])
}

fn prove(table: &SealedTable) -> Vec<String> {
    if required(table).next().is_none() {
        return Vec::new();
    }
    alter(table, &[format!("VALIDATE CONSTRAINT {}", proof_name(table))])
}

fn drop_proof(table: &SealedTable) -> Vec<String> {
    alter(table, &[format!("DROP CONSTRAINT IF EXISTS {}", proof_name(table))])
}

/// With the rights of the migrating login, because a component has none to the list; what it may be made to write is the id
/// of a row. The list lies next to the table, wherever that is, and is named in full: nobody puts another in its place.
fn record(table: &SealedTable) -> Vec<String> {
    let (name, side) = (name(table), ENGINE.quoted(&changed(table)));
    let own = Guard::Changed.name(DmlEvent::Update, table);
    let kind = if table.id.kind == IdKind::Uuid { "uuid" } else { "text" };
    let id = ENGINE.quoted(table.id.name);
    let made = format!(
        "DO $do$ DECLARE space text; BEGIN\n    SELECT relnamespace::regnamespace::text INTO STRICT space FROM pg_class WHERE oid = '{name}'::regclass;\n    \
         EXECUTE format('CREATE TABLE %s.{side} (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id {kind} NOT NULL)', space);\n    \
         EXECUTE format('CREATE FUNCTION %s.{own}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$\nBEGIN\n    \
         INSERT INTO %s.{side} (id) VALUES (new.{id});\n    RETURN NULL;\nEND $$', space, space);\n    \
         EXECUTE format('REVOKE ALL ON FUNCTION %s.{own}() FROM PUBLIC', space);\n    \
         EXECUTE format('CREATE TRIGGER {own} AFTER INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION %s.{own}()', space);\nEND $do$;"
    );
    vec![made]
}

fn stop_recording(table: &SealedTable) -> Vec<String> {
    let own = Guard::Changed.name(DmlEvent::Update, table);
    let side = ENGINE.quoted(&changed(table));
    vec![format!(
        "DROP TRIGGER IF EXISTS {own} ON {};\nDROP FUNCTION IF EXISTS {own}();\nDROP TABLE IF EXISTS {side};",
        name(table)
    )]
}

fn add_plaintext(originals: &OriginalColumns, table: &SealedTable) -> Vec<String> {
    let added = originals.iter().map(|(column, original)| {
        format!("ADD COLUMN {} {}", ENGINE.quoted(column), original.kind)
    });
    alter(table, &added.collect::<Vec<_>>())
}

fn restore(originals: &OriginalColumns, table: &SealedTable) -> Vec<String> {
    let original = || originals.iter().map(|(_, original)| original);
    let constraints: Vec<String> =
        original().flat_map(|it: &OriginalColumn| it.constraints.clone()).collect();
    let indexes = original().flat_map(|it| &it.indexes).map(|index| format!("{};", index.sql));
    alter(table, &constraints).into_iter().chain(indexes).collect()
}

/// A trigger and its function, for inserts and for updates. What can be told from the row alone is told by the trigger
/// itself, at a fraction of a call's cost; what the columns see to has none.
fn guard(guard: Guard, table: &SealedTable) -> Vec<String> {
    let made = |event: DmlEvent| {
        let refuses = guard.refuses(event, table, ENGINE);
        if refuses.is_empty() {
            return None;
        }
        let refuse = format!(
            "RAISE EXCEPTION '{}' USING ERRCODE = 'check_violation';",
            guard.message(table)
        );
        if guard == Guard::Restoring {
            let body = format!("    IF {refuses}\n    THEN\n        {refuse}\n    END IF;");
            return Some(trigger(&guard.name(event, table), event, "", &body, table));
        }
        let when = format!("\n    WHEN ({refuses})");
        Some(trigger(&guard.name(event, table), event, &when, &format!("    {refuse}"), table))
    };
    DmlEvent::BOTH.into_iter().filter_map(made).collect()
}

/// The function runs with the rights of its owner, because components have no right to read keys. So it finds everything by
/// the schema, which it learns when it is made, and not by the caller's search path.
fn key_guard(table: &SealedTable) -> Vec<String> {
    let refuse = format!(
        "RAISE EXCEPTION '{}' USING ERRCODE = 'check_violation';",
        Guard::Key.message(table)
    );
    let made = |event: DmlEvent| {
        let own = Guard::Key.name(event, table);
        let checks = key_checks(event, table, ENGINE, "%1$s").into_iter().map(|check| {
            format!(
                "    IF {}\n    THEN\n        PERFORM FROM {};\n        IF NOT FOUND THEN\n            {refuse}\n        \
                 END IF;\n    END IF;\n",
                check.asked, check.row
            )
        });
        format!(
            "DO $make$ DECLARE ring text; BEGIN\n    SELECT format('%I.%I', n.nspname, c.relname) INTO STRICT ring FROM pg_class c\n        \
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('strongroom_key');\n    EXECUTE format($text$\n\
             CREATE FUNCTION {own}() RETURNS trigger LANGUAGE plpgsql\nSECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$\nBEGIN\n\
             {}    RETURN new;\nEND $$$text$, ring);\nEND $make$;\n\
             CREATE TRIGGER {own} BEFORE {} ON {} FOR EACH ROW EXECUTE FUNCTION {own}();",
            checks.collect::<String>(),
            event.as_sql(),
            name(table),
        )
    };
    DmlEvent::BOTH.map(made).into()
}

fn stale_guard(table: &SealedTable) -> String {
    let emptied = table.columns.iter().map(|column| {
        let columns = std::iter::once(column.sealed).chain(column.index);
        let set: Vec<_> =
            columns.map(|it| format!("        new.{} := NULL;", ENGINE.quoted(it))).collect();
        format!(
            "    IF {}\n    THEN\n{}\n    END IF;",
            stale(table, column, ENGINE),
            set.join("\n")
        )
    });
    let body = emptied.collect::<Vec<_>>().join("\n");
    trigger(&Guard::Stale.name(DmlEvent::Update, table), DmlEvent::Update, "", &body, table)
}

fn trigger(own: &str, event: DmlEvent, when: &str, body: &str, table: &SealedTable) -> String {
    format!(
        "CREATE FUNCTION {own}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n{body}\n    RETURN new;\nEND $$;\n\
         CREATE TRIGGER {own} BEFORE {} ON {} FOR EACH ROW{when} EXECUTE FUNCTION {own}();",
        event.as_sql(),
        name(table),
    )
}

fn drop_all(guards: &[Guard], table: &SealedTable) -> Vec<String> {
    guards.iter().flat_map(|guard| drop_guard(*guard, table)).collect()
}

fn drop_guard(guard: Guard, table: &SealedTable) -> Vec<String> {
    let dropped = |event: DmlEvent| {
        let own = guard.name(event, table);
        format!(
            "DROP TRIGGER IF EXISTS {own} ON {};\nDROP FUNCTION IF EXISTS {own}();",
            name(table)
        )
    };
    DmlEvent::BOTH.into_iter().map(dropped).collect()
}

/// CLUSTER and not VACUUM FULL, because it runs in a transaction and so with a bound on waiting for its lock.
fn scrub(table: &SealedTable) -> Vec<String> {
    let name = name(table);
    let primary = format!(
        "DO $$ DECLARE key text; BEGIN\n    SELECT c.relname INTO STRICT key FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid\n        \
         WHERE i.indrelid = '{name}'::regclass AND i.indisprimary;\n    EXECUTE format('CLUSTER {name} USING %I', key);\nEND $$;"
    );
    vec![primary, format!("ALTER TABLE {name} SET WITHOUT CLUSTER;"), format!("ANALYZE {name};")]
}
