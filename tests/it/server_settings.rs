//! Settings that somebody else made on the server, the database or the role change nothing.

use crate::support::{Engine, OwnServer, Room, Row, ran};

/// A way through everything that the program does with a server, by one address.
fn whole_way(room: &Room, url: &str, begin: &dyn Fn(), end: &dyn Fn()) {
    let run = |arguments: &[&str]| {
        ran(room.command(arguments).env("STRONGROOM__DATABASE__URL", url)).expect(0)
    };
    begin();
    run(&["migrate", "up", "--to", "1"]);
    end();
    let rows: Vec<Row> = crate::support::numbered_rows(800);
    room.insert_plaintext(&rows);
    begin();
    run(&["migrate", "up", "--yes"]);
    run(&["policy", "check"]);
    run(&["policy", "rotate-login", "api", "--settle", "1"]);
    run(&["policy", "check"]);
    let made =
        run(&["credential", "create", "--user-id", "u", "--project-id", "p", "--format", "json"])
            .json();
    run(&["credential", "delete", "--id", made["id"].as_str().unwrap()]);
    run(&["keys", "rotate"]);
    run(&["keys", "verify"]);
    // Pools of components are given sessions of their own.
    let components = room.components_at(url).unwrap();
    let store = {
        let component = crate::support::block_on(components.component("api")).unwrap();
        strongroom::credential::Store::of_component(component.database().clone(), component.keys())
    };
    let found =
        crate::support::block_on(store.find(rows[7].access_key.as_deref().unwrap(), true)).unwrap();
    assert_eq!(found.secret.unwrap().as_str(), rows[7].secret_key);
    drop((store, components));
    run(&["migrate", "down", "--to", "1", "--yes"]);
    end();
    assert_eq!(room.plaintext(), rows);
    begin();
    run(&["migrate", "down", "--to", "0", "--yes"]);
    end();
}

/// Every setting at once, on a server of its own.
fn hostile(engine: Engine, settings: &[(&str, &str)]) {
    let server = OwnServer::of(engine);
    let room = server.room();
    let begin = || {
        server.execute("SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY");
        for (name, value) in settings {
            server.execute(&format!("SET GLOBAL {name} = {value}"));
        }
    };
    let _undone =
        server.undone(settings.iter().map(|(name, _)| format!("SET GLOBAL {name} = DEFAULT")));
    let end = || {
        for (name, _) in settings {
            server.execute(&format!("SET GLOBAL {name} = DEFAULT"));
        }
        server.execute("SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE");
    };
    whole_way(&room, room.url(), &begin, &end);
}

/// The last ones make it hard to set anything else.
const OF_BOTH: [(&str, &str); 20] = [
    ("sql_safe_updates", "ON"),
    ("sql_select_limit", "1"),
    ("max_join_size", "1"),
    ("sql_big_selects", "OFF"),
    ("sql_quote_show_create", "OFF"),
    ("foreign_key_checks", "OFF"),
    ("unique_checks", "OFF"),
    ("default_storage_engine", "MyISAM"),
    ("time_zone", "'+05:30'"),
    ("max_sort_length", "64"),
    ("wait_timeout", "2"),
    ("innodb_lock_wait_timeout", "1"),
    ("lock_wait_timeout", "1"),
    ("character_set_server", "latin1"),
    ("group_concat_max_len", "4"),
    ("max_allowed_packet", "65536"),
    ("completion_type", "CHAIN"),
    ("init_connect", "'SET autocommit = 0'"),
    (
        "sql_mode",
        "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH,IGNORE_SPACE'",
    ),
    ("autocommit", "OFF"),
];

#[test]
fn a_hostile_server_changes_nothing_on_mysql() {
    let of_mysql = [
        ("max_execution_time", "1"),
        ("sql_auto_is_null", "ON"),
        ("sql_require_primary_key", "ON"),
    ];
    let of_both = OF_BOTH.into_iter().map(|(name, value)| match name {
        "sql_mode" => (
            name,
            "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE'",
        ),
        _ => (name, value),
    });
    hostile(Engine::MySql, &of_mysql.into_iter().chain(of_both).collect::<Vec<_>>());
}

#[test]
fn a_hostile_server_changes_nothing_on_mariadb() {
    let of_mariadb = [
        ("max_statement_time", "0.2"),
        ("idle_transaction_timeout", "1"),
        ("idle_write_transaction_timeout", "1"),
        ("check_constraint_checks", "OFF"),
        ("innodb_force_primary_key", "ON"),
        ("sql_if_exists", "ON"),
    ];
    hostile(Engine::MariaDb, &of_mariadb.into_iter().chain(OF_BOTH).collect::<Vec<_>>());
}

/// Those of the role, and of the database, which the components' logins have too.
#[test]
fn a_hostile_role_and_database_change_nothing_on_postgres() {
    let room = Room::empty(Engine::Postgres);
    let database = room.database().to_owned();
    let role = format!("hostile_{database}");
    room.execute(&format!("CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'only-for-tests'"));
    let url = room.url().replace("postgres:only-for-tests@", &format!("{role}:only-for-tests@"));
    let begin = || {
        for (name, value) in OF_POSTGRES {
            // The harness keeps its own.
            room.execute(&format!(
                "ALTER ROLE postgres IN DATABASE {database} SET {name} FROM CURRENT"
            ));
            room.execute(&format!("ALTER ROLE {role} SET {name} = {value}"));
            // That one takes a superuser to undo: a session without it is refused.
            if name != "session_replication_role" {
                room.execute(&format!("ALTER DATABASE {database} SET {name} = {value}"));
            }
        }
    };
    let end = || room.execute(&format!("ALTER DATABASE {database} RESET ALL"));
    whole_way(&room, &url, &begin, &end);
    room.execute(&format!("DROP OWNED BY {role} CASCADE"));
    room.execute(&format!("DROP ROLE {role}"));
}

const OF_POSTGRES: [(&str, &str); 23] = [
    ("standard_conforming_strings", "off"),
    ("backslash_quote", "on"),
    ("bytea_output", "escape"),
    ("\"DateStyle\"", "'German'"),
    ("\"IntervalStyle\"", "'sql_standard'"),
    ("\"TimeZone\"", "'Asia/Kolkata'"),
    ("client_encoding", "'LATIN1'"),
    ("extra_float_digits", "-15"),
    ("array_nulls", "off"),
    ("transform_null_equals", "on"),
    ("quote_all_identifiers", "on"),
    ("default_transaction_isolation", "'serializable'"),
    ("default_transaction_deferrable", "on"),
    ("statement_timeout", "'300ms'"),
    ("lock_timeout", "'1ms'"),
    ("idle_in_transaction_session_timeout", "'50ms'"),
    ("idle_session_timeout", "'500ms'"),
    ("transaction_timeout", "'300ms'"),
    ("createrole_self_grant", "'set, inherit'"),
    ("exit_on_error", "on"),
    ("session_replication_role", "'replica'"),
    ("row_security", "on"),
    ("default_transaction_read_only", "on"),
];

/// SQLite has no server: what somebody else settled is the file's own encoding.
#[test]
fn a_sqlite_file_in_utf_16_is_refused() {
    let room = Room::empty(Engine::Sqlite);
    let url = format!("sqlite://{}?mode=rwc", room.path().join("wide.db").display());
    crate::support::block_on(async {
        use sea_orm::ConnectionTrait as _;
        let db = sea_orm::Database::connect(&url).await.unwrap();
        db.execute_unprepared("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (x text)")
            .await
            .unwrap();
        db.close().await.unwrap();
    });
    let refused = ran(room
        .command(&["migrate", "up", "--format", "json"])
        .env("STRONGROOM__DATABASE__URL", &url))
    .expect(4)
    .json();
    assert_eq!(refused["error"]["code"], "database_unfit", "{refused}");
}
