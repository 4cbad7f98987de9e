//! Tables as programs have them, with all that hangs on them: each comes back as it was, or is refused by name.

use std::fs;

use crate::schema_changes::cut_at_every_statement;
use crate::support::{Engine, Room, repository};

const CONFIGURATION: &str = "[adopt]\ntable = \"ec2_credential\"\n[adopt.columns]\naccess_key = \"access\"\n\
    secret_key = \"secret\"\nproject_id = \"tenant_id\"\n";

mod sqlite {
    use super::*;

    const ENGINE: Engine = Engine::Sqlite;

    #[test]
    fn triggers_are_refused_by_name() {
        refused(ENGINE, "sqlite/objects.sql", &["ec2_changed", "ec2_removed"]);
    }

    #[test]
    fn keys_checks_and_indexes_come_back() {
        round_trip(ENGINE, "sqlite/keys.sql");
    }

    #[test]
    fn a_strict_table_without_rowid_comes_back() {
        round_trip(ENGINE, "sqlite/strict.sql");
    }

    #[test]
    fn what_cannot_be_carried_is_refused_by_name() {
        refused(ENGINE, "sqlite/odd.sql", &["ec2_overview", "short", "seen", "user_id"]);
    }
}

mod postgres {
    use super::*;

    const ENGINE: Engine = Engine::Postgres;

    #[test]
    fn a_view_is_refused_by_name() {
        refused(ENGINE, "postgres/view.sql", &["ec2_overview", "access"]);
    }

    #[test]
    fn padded_columns_are_refused_by_name() {
        refused(ENGINE, "postgres/char.sql", &["`id`", "`user_id`", "`tenant_id`", "`secret`"]);
    }

    #[test]
    fn longer_values_than_ours_are_refused() {
        refused(
            ENGINE,
            "postgres/long.sql",
            &["1 rows have a value of more than 255 characters in `access`"],
        );
    }

    #[test]
    fn checks_defaults_comments_and_indexes_come_back() {
        round_trip(ENGINE, "postgres/checks.sql");
    }

    #[test]
    fn types_and_keys_come_back() {
        round_trip(ENGINE, "postgres/types.sql");
    }

    #[test]
    fn what_cannot_be_carried_is_refused_by_name() {
        let names = [
            "ec2_changed",
            "ec2_kept",
            "ec2_own",
            "row-level security",
            "ec2_stream",
            "ec2_copy",
            "ec2_statistics",
            "seen_access",
            "short",
            "number",
            "parent",
        ];
        refused(ENGINE, "postgres/odd.sql", &names);
    }
}

mod mysql {
    use super::*;

    #[test]
    fn foreign_keys_come_back() {
        round_trip(Engine::MySql, "mysql/foreign_key.sql");
    }

    #[test]
    fn times_that_change_themselves_stay() {
        round_trip(Engine::MySql, "mysql/on_update.sql");
    }

    #[test]
    fn checks_defaults_comments_and_indexes_come_back() {
        round_trip(Engine::MySql, "mysql/checks.sql");
    }

    #[test]
    fn what_cannot_be_carried_is_refused_by_name() {
        super::what_cannot_be_carried_is_refused_by_name(Engine::MySql);
    }

    #[test]
    fn killed_at_any_statement_of_the_carry_over_it_continues() {
        killed_at_any_statement(Engine::MySql);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn foreign_keys_come_back() {
        round_trip(Engine::MariaDb, "mysql/foreign_key.sql");
    }

    #[test]
    fn times_that_change_themselves_stay() {
        round_trip(Engine::MariaDb, "mysql/on_update.sql");
    }

    #[test]
    fn checks_defaults_comments_and_indexes_come_back() {
        round_trip(Engine::MariaDb, "mysql/checks.sql");
    }

    #[test]
    fn what_cannot_be_carried_is_refused_by_name() {
        super::what_cannot_be_carried_is_refused_by_name(Engine::MariaDb);
    }

    #[test]
    fn killed_at_any_statement_of_the_carry_over_it_continues() {
        killed_at_any_statement(Engine::MariaDb);
    }

    #[test]
    fn system_versioning_is_refused() {
        refused(Engine::MariaDb, "mysql/versioned.sql", &["system versioning"]);
    }
}

fn what_cannot_be_carried_is_refused_by_name(engine: Engine) {
    let names = [
        "`id`",
        "short",
        "ec2_overview",
        "seen_access",
        "ec2_changed",
        "seen_changed",
        "by_note",
        "`note`",
    ];
    refused(engine, "mysql/odd.sql", &names[7..]);
    let room = made(engine, "mysql/odd.sql");
    room.execute("ALTER TABLE ec2_credential MODIFY note varchar(1000)");
    require_refusal(&room, &names[..7]);
    refused(engine, "mysql/engine.sql", &["MyISAM"]);
    refused(engine, "mysql/partitions.sql", &["partitioned"]);
}

fn killed_at_any_statement(engine: Engine) {
    let room = made(engine, "mysql/checks.sql");
    let before = everything(&room);
    let mut half_way = 0;
    cut_at_every_statement(&room, &["migrate", "adopt", "--yes"], |_| {
        if room.json(&["migrate", "status"])["adoption"]["half_way"] == true {
            half_way += 1;
            let status = room.run(&["migrate", "status"]).expect(0).out;
            assert!(
                status.contains("ec2_credential is half-way: `strongroom migrate adopt --yes`"),
                "{status}"
            );
        }
    });
    assert!(half_way > 5, "{half_way} gaps");
    room.run(&["migrate", "up", "--to", "8", "--yes"]).expect(0);
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    cut_at_every_statement(&room, &["migrate", "down", "--to", "0", "--yes"], |_| {});
    assert_eq!(everything(&room), before);
}

/// A database with the table of a file, and the configuration to take it over.
fn made(engine: Engine, file: &str) -> Room {
    let room = Room::empty(engine);
    fs::write(room.path().join("strongroom.toml"), CONFIGURATION).unwrap();
    let text = fs::read_to_string(repository().join("tests/data/adopt").join(file)).unwrap();
    for statement in text.split(";\n").filter(|statement| !statement.trim().is_empty()) {
        room.execute(statement);
    }
    room
}

fn round_trip(engine: Engine, file: &str) {
    let room = made(engine, file);
    let before = everything(&room);
    room.run(&["migrate", "adopt", "--dry-run"]).expect(0);
    assert_eq!(everything(&room), before, "a dry run changes nothing");
    room.run(&["migrate", "adopt", "--yes"]).expect(0);
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    assert_eq!(everything(&room), before, "given back at once");
    room.run(&["migrate", "adopt", "--yes"]).expect(0);
    let before_sealing = times(&room);
    room.run(&["migrate", "up", "--to", "8", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
    room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(times(&room), before_sealing, "no time changed");
    room.run(&["migrate", "down", "--to", "0", "--yes", "--dry-run"]).expect(0);
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    assert_eq!(everything(&room), before, "given back after it was sealed and rolled");
}

fn times(room: &Room) -> Vec<String> {
    let kind =
        if matches!(room.engine, Engine::MySql | Engine::MariaDb) { "char" } else { "varchar(40)" };
    let sql = format!("SELECT CAST(created_at AS {kind}) FROM credential ORDER BY id");
    room.query(&sql, |row| row.try_get_by_index::<String>(0).unwrap())
}

fn refused(engine: Engine, file: &str, names: &[&str]) {
    require_refusal(&made(engine, file), names);
}

fn require_refusal(room: &Room, names: &[&str]) {
    let before = everything(room);
    for command in ["--dry-run", "--yes"] {
        let error =
            room.run(&["migrate", "adopt", command, "--format", "json"]).expect(4).json()["error"]
                ["message"]
                .to_string();
        for name in ["ec2_credential"].iter().chain(names) {
            assert!(error.contains(name), "{name} is not in: {error}");
        }
    }
    assert_eq!(everything(room), before, "nothing was changed");
}

/// Every table's text and rows, and what else there is.
fn everything(room: &Room) -> Vec<String> {
    match room.engine {
        Engine::Sqlite => everything_on_sqlite(room),
        Engine::Postgres => everything_on_postgres(room),
        Engine::MySql | Engine::MariaDb => everything_on_mysql(room),
    }
}

fn texts(room: &Room, sql: &str) -> Vec<String> {
    room.query(sql, |row| row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default())
}

fn everything_on_sqlite(room: &Room) -> Vec<String> {
    let mut found = texts(
        room,
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE tbl_name NOT LIKE 'strongroom%' ORDER BY type, name",
    );
    for table in texts(
        room,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'strongroom%' ORDER BY name",
    ) {
        let columns = texts(
            room,
            &format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')"),
        );
        found.extend(texts(
            room,
            &format!("SELECT {} FROM \"{table}\" ORDER BY 1", columns.join(" || ', ' || ")),
        ));
    }
    found
}

fn everything_on_postgres(room: &Room) -> Vec<String> {
    let ours = "NOT IN (SELECT oid FROM pg_class WHERE relname LIKE 'strongroom%')";
    let mut found = Vec::new();
    for sql in [
        format!(
            "SELECT a.attrelid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation::regcollation \
             || ' ' || a.attnotnull || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' ' || coalesce(col_description(a.attrelid, a.attnum), '') \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm') \
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid {ours} ORDER BY 1"
        ),
        format!(
            "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || coalesce(obj_description(oid), '') FROM pg_constraint \
             WHERE connamespace = 'public'::regnamespace AND conrelid {ours} ORDER BY 1"
        ),
        format!(
            "SELECT pg_get_indexdef(i.indexrelid) || ' ' || i.indisclustered || ' ' || coalesce(obj_description(i.indexrelid), '') FROM pg_index i \
             JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace WHERE i.indrelid {ours} ORDER BY 1"
        ),
        "SELECT viewname || ' ' || definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1".to_owned(),
        "SELECT tgname::text || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1".to_owned(),
        format!(
            "SELECT coalesce(obj_description(oid), '') FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND oid {ours} ORDER BY relname"
        ),
    ] {
        found.extend(texts(room, &sql));
    }
    for table in texts(
        room,
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'strongroom%' ORDER BY 1",
    ) {
        found.extend(texts(
            room,
            &format!("SELECT to_jsonb(t)::text FROM \"{table}\" t ORDER BY 1"),
        ));
    }
    found
}

fn everything_on_mysql(room: &Room) -> Vec<String> {
    let tables = "SELECT CAST(table_name AS char) FROM information_schema.tables WHERE table_schema = DATABASE() \
        AND table_type LIKE '%BASE TABLE%' AND table_name NOT LIKE 'strongroom%' ORDER BY 1";
    let mut found = texts(
        room,
        "SELECT CAST(concat(trigger_name, action_statement) AS char) FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1",
    );
    for table in texts(room, tables) {
        let shown = room.query(&format!("SHOW CREATE TABLE `{table}`"), |row| {
            row.try_get::<String>("", "Create Table").unwrap()
        });
        // Keys and constraints that were added again follow the others; MySQL prints literals in the table's character set.
        let lines = shown
            .iter()
            .flat_map(|text| text.lines())
            .map(|line| line.trim_end_matches(',').replace("_utf8mb3'", "_utf8mb4'"));
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        found.extend(lines);
        let columns = texts(
            room,
            &format!(
                "SELECT CAST(concat('coalesce(CAST(`', column_name, '` AS char), ''NULL'')') AS char) FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        );
        found.extend(texts(
            room,
            &format!("SELECT concat_ws('|', {}) FROM `{table}` ORDER BY 1", columns.join(", ")),
        ));
    }
    found
}
