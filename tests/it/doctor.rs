//! `strongroom doctor`: what it finds, and what it says to do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{Engine, Ran, Room, TlsServer, numbered_rows, on_every_engine, ran};

on_every_engine!(
    a_healthy_database_is_well,
    an_empty_database_has_everything_before_it,
    what_is_left_comes_with_the_next_command,
    what_does_not_open_is_counted,
    what_a_guard_refuses_is_bad,
    a_run_that_is_under_way_is_named,
    a_login_that_may_only_read_is_enough,
);

/// Runs it; every check, as name to state, message and hint.
fn doctor(room: &Room, code: i32) -> Vec<Value> {
    checks(&room.run(&["doctor", "--format", "json"]).expect(code))
}

/// Nothing but `ok` goes without a hint, and the verdict is the exit code's.
fn checks(ran: &Ran) -> Vec<Value> {
    let document = ran.json();
    assert_eq!(document["ok"], ran.code == 0, "{document}");
    let checks = document["checks"].as_array().unwrap().clone();
    for check in &checks {
        assert_eq!(check["state"] == "ok", check["hint"].is_null(), "{check}");
    }
    checks
}

#[track_caller]
fn assert_check(checks: &[Value], name: &str, state: &str, says: &str) {
    let check = checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {checks:#?}"));
    assert_eq!(check["state"], state, "{check}");
    let said = format!("{} {}", check["message"], check["hint"]);
    assert!(said.contains(says), "{said}");
}

fn a_healthy_database_is_well(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    if engine == Engine::Sqlite {
        // The harness made the file, and for anybody to read.
        close_to_others(&room);
    }
    let ran = room.run(&["doctor", "--format", "json"]).expect(0);
    let found = checks(&ran);
    assert!(found.iter().all(|check| check["state"] == "ok"), "{found:#?}");
    assert_check(&found, "database", "ok", &engine.to_string());
    assert_check(&found, "manifest", "ok", "verifies");
    assert_check(&found, "phase", "ok", "sealed");
    assert_check(&found, "migrations", "ok", "version 12");
    assert_check(&found, "configuration", "ok", "STRONGROOM__DATABASE__URL");
    let key = fs::read_to_string(room.key_file()).unwrap();
    for secret in ["only-for-tests", key.trim(), "secret-"] {
        assert!(!ran.all().contains(secret), "{ran:?}");
    }
    let text = room.run(&["doctor"]).expect(0);
    assert!(text.out.lines().all(|line| line.starts_with("ok ")), "{}", text.out);
}

fn close_to_others(room: &Room) {
    for entry in fs::read_dir(room.path()).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn an_empty_database_has_everything_before_it(engine: Engine) {
    let room = Room::empty(engine);
    let found = doctor(&room, 3);
    assert_check(&found, "migrations", "warn", "strongroom migrate up");
    assert_check(&found, "manifest", "ok", "none yet");
    assert_eq!(room.tables(), 0);
}

fn what_is_left_comes_with_the_next_command(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(3));
    let found = doctor(&room, 3);
    assert_check(&found, "plaintext", "warn", "6 of 6");
    room.run(&["migrate", "up", "--to", "4", "--max-rows", "2", "--batch-size", "1"]).expect(3);
    assert_check(&doctor(&room, 3), "migrations", "warn", "half-way up");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "rotate", "--max-rows", "1", "--batch-size", "1"]).expect(3);
    assert_check(&doctor(&room, 3), "generations", "warn", "strongroom keys rotate");
    room.run(&["keys", "rotate"]).expect(0);
    doctor(&room, 0);
}

fn what_does_not_open_is_counted(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    room.tamper("UPDATE credential SET user_id = 'mallory' WHERE id = 'row-000001'");
    room.run(&["keys", "rotate"]).expect(3);
    let found = doctor(&room, 3);
    assert_check(&found, "quarantine", "warn", "strongroom keys quarantine list");
    assert_check(&found, "generations", "warn", "2 cells on generation 1");
    assert_check(&found, "manifest", "ok", "verifies");
}

/// One thing that is refused hides nothing else.
fn what_a_guard_refuses_is_bad(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    room.execute("UPDATE strongroom_manifest SET epoch = epoch + 1");
    let found = doctor(&room, 4);
    assert_check(&found, "manifest", "bad", "does not verify");
    assert_check(&found, "migrations", "ok", "none pending");
    assert_check(&found, "quarantine", "ok", "empty");
    room.execute("UPDATE strongroom_history SET checksum = 'edited' WHERE number = 1");
    assert_check(&doctor(&room, 4), "migrations", "bad", "checksum differs");
    let foreign = Room::empty(engine);
    foreign.execute("CREATE TABLE credential (id varchar(64) PRIMARY KEY)");
    let found = doctor(&foreign, 4);
    assert_check(&found, "migrations", "bad", "was not made by Strongroom");
    assert_check(&found, "run lock", "ok", "free");
}

fn a_run_that_is_under_way_is_named(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let far = "UPDATE strongroom_lock SET holder = 'elsewhere:7:8:9:10', expires_ms = ";
    room.execute(&format!("{far} 99999999999999"));
    assert_check(&doctor(&room, 0), "run lock", "warn", "process 7 on elsewhere");
    room.execute(&format!("{far} 1"));
    assert_check(&doctor(&room, 0), "run lock", "warn", "ended without giving it back");
}

/// On SQLite, a file that cannot be written; elsewhere a login without a right to write.
fn a_login_that_may_only_read_is_enough(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let (before, database) = room.url().rsplit_once('/').unwrap();
    let reader = format!("reader_{database}");
    let (_, host) = before.rsplit_once('@').unwrap_or_default();
    let statements = match engine {
        Engine::Sqlite => {
            close_to_others(&room);
            fs::set_permissions(
                room.path().join("strongroom.db"),
                fs::Permissions::from_mode(0o400),
            )
            .unwrap();
            assert_check(&doctor(&room, 0), "database file", "warn", "cannot be written");
            return;
        }
        Engine::Postgres => [
            format!("CREATE ROLE {reader} LOGIN PASSWORD 'for-reading'"),
            format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}"),
        ],
        Engine::MySql | Engine::MariaDb => [
            format!("CREATE USER {reader} IDENTIFIED BY 'for-reading'"),
            format!("GRANT SELECT ON {database}.* TO {reader}"),
        ],
    };
    for statement in statements {
        room.execute(&statement);
    }
    let scheme = if engine == Engine::Postgres { "postgres" } else { "mysql" };
    let url = format!("{scheme}://{reader}:for-reading@{host}/{database}");
    for look in [
        &["migrate", "status"][..],
        &["migrate", "plan", "--to", "0"],
        &["migrate", "history"],
        &["keys", "status"],
    ] {
        ran(room.command(look).env("STRONGROOM__DATABASE__URL", &url)).expect(0);
    }
    // PostgreSQL shows every login what others may do, this reader's own rights on our tables among it.
    let code = if engine == Engine::Postgres { 3 } else { 0 };
    let ran =
        ran(room.command(&["doctor", "--format", "json"]).env("STRONGROOM__DATABASE__URL", url))
            .expect(code);
    let found = checks(&ran);
    assert_check(&found, "plaintext", "ok", "none");
    match engine {
        Engine::MySql => assert_check(&found, "binary log", "warn", "error 1419"),
        // Keeps no binary log unless it is told to.
        Engine::MariaDb => assert_check(&found, "binary log", "ok", ""),
        _ => {}
    }
    assert!(!ran.all().contains("for-reading"), "{ran:?}");
}

/// MySQL and MariaDB run a trigger as whoever made it.
fn triggers_of_an_account_that_is_gone(engine: Engine) {
    let room = Room::empty(engine);
    let (before, database) = room.url().rsplit_once('/').unwrap();
    let (owner, (_, host)) = (format!("owner_{database}"), before.rsplit_once('@').unwrap());
    room.execute(&format!("CREATE USER {owner} IDENTIFIED BY 'for-a-while'"));
    room.execute(&format!("GRANT ALL ON *.* TO {owner} WITH GRANT OPTION"));
    let url = format!("mysql://{owner}:for-a-while@{host}/{database}");
    ran(room.command(&["migrate", "up", "--yes"]).env("STRONGROOM__DATABASE__URL", &url)).expect(0);
    doctor(&room, 0);
    room.execute(&format!("DROP USER {owner}"));
    // MariaDB's views of the components were this owner's too.
    let code = if engine == Engine::MariaDb { 3 } else { 0 };
    assert_check(&doctor(&room, code), "trigger owners", "warn", &owner);
}

/// On the servers that no other test measures anything on.
fn settings_that_bite(engine: Engine) {
    let (server, room, name) =
        (TlsServer::of(engine), Room::empty(Engine::Sqlite), TlsServer::new_name());
    let url = server.url_at(server.on_loopback(), "careful", &name);
    let run =
        |arguments: &[&str]| ran(room.command(arguments).env("STRONGROOM__DATABASE__URL", &url));
    run(&["init"]).expect(0);
    let settings = [("max_allowed_packet", "1048576"), ("sql_mode", "''"), ("read_only", "1")];
    for (setting, value) in settings {
        server.execute(&format!("SET GLOBAL {setting} = {value}"));
    }
    let found = checks(&run(&["doctor", "--format", "json"]).expect(3));
    for (setting, _) in settings {
        server.execute(&format!("SET GLOBAL {setting} = DEFAULT"));
    }
    assert_check(&found, "packet size", "warn", "1024 KiB");
    assert_check(&found, "sql_mode", "warn", "STRICT_ALL_TABLES");
    assert_check(&found, "writable", "warn", "takes no changes");
}

#[test]
fn settings_that_bite_on_mysql() {
    settings_that_bite(Engine::MySql);
}

#[test]
fn settings_that_bite_on_mariadb() {
    settings_that_bite(Engine::MariaDb);
}

#[test]
fn triggers_of_an_account_that_is_gone_on_mysql() {
    triggers_of_an_account_that_is_gone(Engine::MySql);
}

#[test]
fn triggers_of_an_account_that_is_gone_on_mariadb() {
    triggers_of_an_account_that_is_gone(Engine::MariaDb);
}

#[test]
fn keys_that_are_refused() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    let key = fs::read_to_string(room.key_file()).unwrap();
    let put = |text: &str, mode: u32| {
        let _ = fs::remove_file(room.key_file());
        fs::write(room.key_file(), text).unwrap();
        fs::set_permissions(room.key_file(), fs::Permissions::from_mode(mode)).unwrap();
    };
    put(&key, 0o640);
    let found = doctor(&room, 4);
    assert_check(&found, "key", "bad", "chmod 600");
    assert_check(&found, "manifest", "warn", "not verified");
    assert_check(&found, "quarantine", "ok", "empty");
    put("Zm9yIHRlc3RzIG9ubHkgZm9yIHRlc3RzIG9ubHkgISE=", 0o600);
    let found = doctor(&room, 4);
    assert_check(&found, "key", "ok", "root");
    assert_check(&found, "manifest", "bad", "wrong key");
    fs::remove_file(room.key_file()).unwrap();
    assert_check(&doctor(&room, 4), "key", "bad", "does not exist");
}

/// A copy that nobody else has open, so that every changed byte is the program's doing.
#[test]
fn the_file_stays_as_it_is() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(3));
    let copy = room.path().join("copy.db");
    room.execute(&format!("VACUUM INTO '{}'", copy.display()));
    let bytes = fs::read(&copy).unwrap();
    let url = format!("sqlite://{}?mode=rwc", copy.display());
    ran(room.command(&["doctor"]).env("STRONGROOM__DATABASE__URL", url)).expect(0);
    assert!(fs::read(&copy).unwrap() == bytes, "looking wrote something");
}

#[test]
fn files_that_others_can_read() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    let open = |name: &str| {
        fs::set_permissions(room.path().join(name), fs::Permissions::from_mode(0o644)).unwrap();
    };
    fs::write(room.path().join("old.key"), "anything").unwrap();
    open("old.key");
    open("strongroom.db");
    let found = doctor(&room, 0);
    assert_check(&found, "other keys", "warn", "old.key");
    assert_check(&found, "database file", "warn", "chmod 600");
}

#[test]
fn nothing_answers() {
    let room = Room::empty(Engine::Sqlite);
    fs::remove_file(room.key_file()).unwrap();
    let at = |url: &str, code| {
        let ran = ran(room
            .command(&["doctor", "--format", "json"])
            .env("STRONGROOM__DATABASE__URL", url))
        .expect(code);
        assert!(!ran.all().contains("canary"), "{ran:?}");
        checks(&ran)
    };
    let found = at("postgres://nobody:canary@127.0.0.1:1/x", 6);
    assert_check(&found, "database", "bad", "cannot be reached");
    assert_check(&found, "key", "bad", "strongroom init");
    assert_check(
        &at("postgres://u:canary@192.0.2.1/x?sslmode=disable", 4),
        "database",
        "bad",
        "sslmode=disable",
    );
    assert_check(
        &at("sqlite://nowhere.db?mode=rwc", 4),
        "database file",
        "warn",
        "does not exist yet",
    );
    assert!(!room.path().join("nowhere.db").exists());
}

#[test]
fn the_certificates_of_a_service_are_looked_at() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    close_to_others(&room);
    room.serve("").stop();
    let found = doctor(&room, 0);
    assert_check(&found, "certificate", "ok", "is good for");
    assert_check(&found, "service", "ok", "version 12 of 12");
    let key = room.path().join("certs/server.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_check(&doctor(&room, 4), "certificate", "bad", "has mode 0644");
    fs::remove_file(&key).unwrap();
    assert_check(&doctor(&room, 4), "certificate", "bad", "does not exist");
}
