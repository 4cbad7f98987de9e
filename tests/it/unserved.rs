//! What is said when a database does not serve: why, with the right exit code, soon, and without a secret.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Engine, Ran, Room, on_every_server, ran};

on_every_server!(
    a_refused_login_and_a_missing_database_are_told_apart,
    another_service_at_the_port_is_named_at_once,
    what_the_server_says_is_shown_without_values,
);

/// Asks for the status with another address; must end within 4 s.
#[track_caller]
fn status(room: &Room, url: &str, code: i32) -> Ran {
    let begun = Instant::now();
    let mut command = room.command(&["migrate", "status", "--format", "json"]);
    let ran = ran(command.env("STRONGROOM__DATABASE__URL", url)).expect(code);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}: {ran:?}", begun.elapsed());
    assert!(!ran.all().contains("canary"), "{ran:?}");
    ran
}

#[track_caller]
fn fails(room: &Room, url: &str, code: &str, says: &str) {
    let ran = status(room, url, 6);
    let error = &ran.json()["error"];
    assert_eq!(error["code"], code, "{url}: {error}");
    assert!(error["message"].as_str().unwrap().contains(says), "{url}: {error}");
    assert!(error["help"].is_string(), "{url}: {error}");
}

fn a_refused_login_and_a_missing_database_are_told_apart(engine: Engine) {
    let room = Room::empty(engine);
    let url = room.url();
    fails(
        &room,
        &url.replace("only-for-tests", "canary"),
        "database_unreachable",
        "refuses the login",
    );
    fails(&room, &format!("{url}_gone"), "database_missing", "does not exist");
    let (before, _) = url.rsplit_once(':').unwrap();
    let at = |place: &str| format!("{}@{place}", before.rsplit_once('@').unwrap().0);
    fails(&room, &at("127.0.0.1:1/keys"), "database_unreachable", "nothing listens");
    fails(&room, &at("nowhere.invalid/keys"), "database_unreachable", "has no address");
}

/// Greets, or answers the first bytes, or says nothing.
fn listen(greeting: &'static [u8], answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let _ = stream.write_all(greeting);
                let mut bytes = [0; 512];
                while matches!(stream.read(&mut bytes), Ok(1..)) {
                    let _ = stream.write_all(answer);
                }
            });
        }
    });
    port
}

fn another_service_at_the_port_is_named_at_once(engine: Engine) {
    let room = Room::empty(engine);
    let other =
        Room::empty(if engine == Engine::Postgres { Engine::MySql } else { Engine::Postgres });
    let name =
        if engine == Engine::Postgres { "MySQL or MariaDB answers" } else { "PostgreSQL answers" };
    let scheme = if engine == Engine::Postgres { "postgres" } else { "mysql" };
    let ssh = listen(b"SSH-2.0-OpenSSH_9.2\r\n", b"");
    let http = listen(b"", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    for (port, says) in
        [(other.port(), name), (ssh, "an SSH server answers"), (http, "an HTTP server answers")]
    {
        for parameters in ["", "?sslmode=disable"] {
            fails(
                &room,
                &format!("{scheme}://app:canary@127.0.0.1:{port}/keys{parameters}"),
                "database_unreachable",
                says,
            );
        }
    }
}

/// Nothing answers at all: a word after a moment, the end after ten seconds, and nothing but the error with `--quiet`.
#[test]
fn a_server_that_says_nothing_is_waited_for_aloud() {
    let room = Room::empty(Engine::Sqlite);
    let port = listen(b"", b"");
    for (quiet, is_told) in [(&[][..], true), (&["--quiet"], false)] {
        let mut command = room.command(&[&["migrate", "status"][..], quiet].concat());
        let ended =
            ran(command
                .env("STRONGROOM__DATABASE__URL", format!("mysql://app@127.0.0.1:{port}/keys")))
            .expect(6);
        assert_eq!(ended.err.contains("waiting: 127.0.0.1"), is_told, "{ended:?}");
        assert!(ended.err.contains("did not answer within 10 s"), "{ended:?}");
    }
}

/// Another session's lock on a SQLite file.
#[test]
fn a_lock_of_another_session_is_waited_for_aloud() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let held = room.hold("UPDATE strongroom_lock SET holder = holder");
    let running = room.start(&["keys", "rotate"]);
    thread::sleep(Duration::from_secs(4));
    crate::support::block_on(async { held.rollback().await.unwrap() });
    let ended = running.finish().expect(0);
    assert!(
        ended.err.contains("waiting for the run lock")
            || ended.err.contains("waiting: another session"),
        "{ended:?}"
    );
}

/// Makes the next change of the run lock end with an error of the server.
fn make_the_lock_fail(room: &Room, code: &str, message: &str, detail: &str) {
    if room.engine == Engine::Postgres {
        room.execute(&format!(
            "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION '{message}' USING ERRCODE = '{code}', DETAIL = '{detail}', HINT = 'a hint', TABLE = 'some_table'; END $$"
        ));
        room.execute("CREATE OR REPLACE TRIGGER fail BEFORE UPDATE ON strongroom_lock FOR EACH ROW EXECUTE FUNCTION fail()");
        return;
    }
    room.execute("DROP TRIGGER IF EXISTS fail");
    room.execute(&format!(
        "CREATE TRIGGER fail BEFORE UPDATE ON strongroom_lock FOR EACH ROW \
         SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = '{message}'"
    ));
}

/// An error, its text and detail, the exit code, and what the message says.
type Case = (&'static str, &'static str, &'static str, i32, &'static [&'static str]);

const OF_POSTGRES: &[Case] = &[
    (
        "42P05",
        "prepared statement sqlx_s_1 already exists",
        "",
        1,
        &["pooler in transaction mode", "pool_mode = session"],
    ),
    ("26000", "prepared statement sqlx_s_1 does not exist", "", 1, &["pooler in transaction mode"]),
    (
        "53300",
        "sorry, too many clients already",
        "",
        6,
        &["takes no more connections", "max_connections"],
    ),
    (
        "25006",
        "cannot execute UPDATE in a read-only transaction",
        "",
        6,
        &["is not the primary", "HOST:PORT,HOST:PORT"],
    ),
    (
        "2BP01",
        "cannot drop column x",
        "view v depends on it",
        1,
        &["cannot drop column x", "view v depends on it", "a hint", "some_table"],
    ),
    (
        "23514",
        "new row violates a check",
        "Failing row contains (canary).",
        1,
        &["new row violates a check", "some_table"],
    ),
    (
        "22P02",
        "invalid input syntax for type uuid: \"canary\"",
        "canary",
        1,
        &["invalid input syntax for type uuid"],
    ),
    ("P0001", "refused by a rule", "canary", 1, &["refused by a rule"]),
];

const OF_MYSQL: &[Case] = &[
    (
        "1290",
        "The server is running with the --read-only option so it cannot execute this statement",
        "",
        6,
        &["is not the primary", "HOST:PORT,HOST:PORT"],
    ),
    (
        "1290",
        "The server is running with the --secure-file-priv option",
        "",
        1,
        &["1290", "--secure-file-priv"],
    ),
    ("1836", "Running in read-only mode", "", 6, &["is not the primary"]),
    (
        "1180",
        "Got error 5 during COMMIT (Not connected to Primary Component)",
        "",
        6,
        &["cannot be reached"],
    ),
    ("1927", "Connection was killed", "", 6, &["cannot be reached"]),
    ("1040", "Too many connections", "", 6, &["takes no more connections"]),
    (
        "1203",
        "User app already has more than max_user_connections",
        "",
        6,
        &["takes no more connections"],
    ),
    (
        "1153",
        "Got a packet bigger than max_allowed_packet bytes",
        "",
        1,
        &["longer than the database server takes", "--batch-size 50"],
    ),
    ("1062", "Duplicate entry \"canary\" for key \"k\"", "", 1, &["1062"]),
    ("1644", "refused by a rule", "", 1, &["refused by a rule"]),
];

fn what_the_server_says_is_shown_without_values(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let cases = if engine == Engine::Postgres { OF_POSTGRES } else { OF_MYSQL };
    for (code, message, detail, exit, says) in cases {
        make_the_lock_fail(
            &room,
            code,
            &message.replace('"', if engine == Engine::Postgres { "\"" } else { "''" }),
            detail,
        );
        let ran = room.run(&["keys", "rotate"]).expect(*exit);
        for word in *says {
            assert!(ran.err.contains(word), "{code}: {word}: {ran:?}");
        }
        assert!(!ran.all().contains("canary"), "{code}: {ran:?}");
    }
}

/// An address that a driver would misread; exit 2, with the cure.
#[test]
fn an_address_that_is_not_meant_is_refused_with_its_cure() {
    let room = Room::empty(Engine::Sqlite);
    for (url, cure) in [
        ("postgres://app:p#canary@db/keys", "%23"),
        ("mysql://app:p?canary@db/keys", "%3F"),
        ("mysql://app:12?canary@127.0.0.1/keys", "%3F"),
        ("postgres://app:12#canary@127.0.0.1/keys", "%23"),
        ("mysql://keystone:p@canary@127.0.0.1/keystone", "%40"),
        ("postgresql+psycopg2://app:canary@db/keys", "drop the part after `+`"),
        ("mysql://root:canary@127.0.0.1:3306/", "/DATABASE"),
        ("mysql://app:canary@localhost/keys?unix_socket=/run/mysqld/mysqld.sock", "`unix_socket`"),
        ("mysql://app:canary@localhost/keys?ssl-mod=required", "`ssl-mod`"),
        ("sqlite::memory:", "sqlite://strongroom.db?mode=rwc"),
        (":memory:", "sqlite://strongroom.db?mode=rwc"),
        ("sqlite:strongroom.db", "sqlite://FILE?mode=rwc"),
        ("strongroom.db", "sqlite://FILE?mode=rwc"),
    ] {
        for command in [&["init"][..], &["migrate", "status"]] {
            let refused =
                ran(room.command(command).env("STRONGROOM__DATABASE__URL", url)).expect(2);
            assert!(
                refused.err.contains(cure) && !refused.all().contains("canary"),
                "{url}: {refused:?}"
            );
        }
    }
}
