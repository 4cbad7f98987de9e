//! Import from a real Keystone 30 database.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sea_orm::{ConnectionTrait, Database};
use serde_json::json;

use crate::support::{Engine, Room, on_every_engine, repository};

on_every_engine!(
    every_row_comes_out_as_expected,
    what_cannot_be_read_is_named_and_passed_over,
    a_dry_run_writes_nothing,
    a_killed_import_goes_on,
    rows_that_differ_here_are_left_alone,
);

pub fn data() -> PathBuf {
    repository().join("tests/data/keystone")
}

/// A copy, since reading SQLite's files may write beside them.
pub fn keystone_in(room: &Room) -> String {
    let copy = room.path().join("keystone.sqlite");
    std::fs::copy(data().join("keystone.sqlite"), &copy).unwrap();
    format!("sqlite://{}", copy.display())
}

pub fn import<'a>(from: &'a str, keys: &'a str) -> Vec<&'a str> {
    vec!["import", "keystone", "--from", from, "--key-repository", keys]
}

pub fn keys() -> String {
    data().join("credential-keys").display().to_string()
}

fn every_row_comes_out_as_expected(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let (from, keys) = (keystone_in(&room), keys());
    let report = room.json(&import(&from, &keys));
    assert_eq!(report, json!({ "read": 600, "imported": 600, "unchanged": 0, "quarantined": [] }));
    let again = room.json(&import(&from, &keys));
    assert_eq!(again, json!({ "read": 600, "imported": 0, "unchanged": 600, "quarantined": [] }));

    assert_is_as_expected(&room);
}

/// What every row must open to.
pub fn expected() -> Vec<BTreeMap<String, String>> {
    let mut expected = csv::Reader::from_path(data().join("expected.csv")).unwrap();
    expected.deserialize().map(Result::unwrap).collect()
}

/// What a person would get back in the clear.
pub fn assert_is_as_expected(room: &Room) {
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    let stored: BTreeMap<String, _> =
        room.plaintext().into_iter().map(|row| (row.id.clone(), row)).collect();
    let mut count = 0;
    for record in expected() {
        let row = &stored[&record["id"]];
        let or_null = |name: &str| Some(record[name].clone()).filter(|text| !text.is_empty());
        assert_eq!(
            (&row.user_id, &row.kind, &row.secret_key),
            (&record["user_id"], &record["type"], &record["secret"])
        );
        assert_eq!(
            (&row.project_id, &row.access_key, &row.extra),
            (&or_null("project_id"), &or_null("access"), &or_null("extra"))
        );
        count += 1;
    }
    assert_eq!((count, stored.len()), (600, 600));
}

/// The same code reads Keystone's table on every server.
#[test]
fn keystone_on_servers() {
    for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
        keystone_on(engine);
    }
}

/// Keystone's table as it is on a server, with the narrow characters that it has on MySQL and MariaDB.
pub fn make_table(server: &Room) {
    let character_set = if matches!(server.engine, Engine::MySql | Engine::MariaDb) {
        "CHARACTER SET utf8mb3"
    } else {
        ""
    };
    server.execute(&format!(
        "CREATE TABLE credential (id varchar(64) PRIMARY KEY, user_id varchar(64) NOT NULL, project_id varchar(64), \
         type varchar(255) NOT NULL, extra text, key_hash varchar(64) NOT NULL, encrypted_blob text NOT NULL) {character_set}"
    ));
}

fn keystone_on(engine: Engine) {
    let (room, server) = (Room::sealed(Engine::Sqlite, &[]), Room::empty(engine));
    make_table(&server);
    let dump = "import sqlite3, json, sys; print(json.dumps(sqlite3.connect(sys.argv[1]).execute('SELECT * FROM credential').fetchall()))";
    let read = std::process::Command::new(crate::break_glass::python())
        .args(["-c", dump])
        .arg(data().join("keystone.sqlite"))
        .output();
    let rows: Vec<Vec<Option<String>>> = serde_json::from_slice(&read.unwrap().stdout).unwrap();
    for row in rows {
        let values = row.into_iter().map(sea_orm::Value::from).collect();
        server
            .try_execute("INSERT INTO credential VALUES ($1, $2, $3, $4, $5, $6, $7)", values)
            .unwrap();
    }
    let report = crate::support::run_with_input(
        &room,
        &[import("-", &keys()), vec!["--format", "json"]].concat(),
        server.url(),
    );
    assert_eq!(
        report.expect(0).json(),
        json!({ "read": 600, "imported": 600, "unchanged": 0, "quarantined": [] })
    );
    room.run(&["keys", "verify"]).expect(0);
}

const EXTRA_ROWS: &str = r#"
import sys, json, base64, hashlib, sqlite3
from cryptography.fernet import Fernet
db = sqlite3.connect(sys.argv[1])
key = open(sys.argv[2] + "/3").read()
null = base64.urlsafe_b64encode(bytes(32))
ec2 = lambda access: json.dumps({"access": access, "secret": "s"})
sha = lambda text: hashlib.sha256(text.encode()).hexdigest()
def row(id, kind, key, text):
    token = Fernet(key).encrypt(text.encode()).decode() if key else text
    db.execute("INSERT INTO credential VALUES (?, 'u', 'p', ?, '{}', 'h', ?)", (id, kind, token))
deep = ec2("deep")
for _ in range(8): deep = json.dumps(deep)
row(sha("deep"), "ec2", key, deep)
row("garbled", "totp", None, "gAAAAAnonsense")
row("foreign", "totp", Fernet.generate_key(), "x")
row("null", "totp", null, "under the null key")
row(sha("no json"), "ec2", key, "no json")
row("not the hash", "ec2", key, ec2("some access"))
db.commit()
"#;

fn what_cannot_be_read_is_named_and_passed_over(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let (from, keys) = (keystone_in(&room), keys());
    let python = crate::break_glass::python();
    let database = room.path().join("keystone.sqlite");
    let status = std::process::Command::new(python)
        .args(["-c", EXTRA_ROWS])
        .arg(&database)
        .arg(&keys)
        .status()
        .unwrap();
    assert!(status.success());

    let ran = room.run(&[import(&from, &keys), vec!["--format", "json"]].concat()).expect(3);
    let report = ran.json();
    assert_eq!((report["read"].as_u64(), report["imported"].as_u64()), (Some(606), Some(600)));
    let quarantined = report["quarantined"].as_array().unwrap();
    let reason = |id: &str| {
        quarantined
            .iter()
            .find(|bad| bad["id"] == id)
            .map(|bad| bad["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(reason("garbled").unwrap(), "undecryptable");
    assert_eq!(reason("foreign").unwrap(), "undecryptable");
    assert_eq!(reason("null").unwrap(), "null_key");
    assert_eq!(reason("not the hash").unwrap(), "id_mismatch");
    assert_eq!(quarantined.iter().filter(|bad| bad["reason"] == "malformed").count(), 2);
    assert_eq!(
        room.number(
            "SELECT count(*) FROM strongroom_quarantine WHERE table_name = 'keystone.credential'"
        ),
        6
    );

    let accepted = room.json(&[import(&from, &keys), vec!["--accept-null-key"]].concat());
    assert_eq!(
        (accepted["imported"].as_u64(), accepted["unchanged"].as_u64()),
        (Some(1), Some(600))
    );
    assert_eq!(
        room.json(&["credential", "show", "--id", "null", "--reveal"])["secret"],
        "under the null key"
    );
}

fn a_dry_run_writes_nothing(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let (from, keys) = (keystone_in(&room), keys());
    let report = room.json(&[import(&from, &keys), vec!["--dry-run"]].concat());
    assert_eq!(report["imported"], 600);
    assert_eq!(room.number("SELECT count(*) FROM credential"), 0);
}

fn a_killed_import_goes_on(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let (from, keys) = (keystone_in(&room), keys());
    let running = room.start(&import(&from, &keys));
    crate::support::until("a first page", || room.number("SELECT count(*) FROM credential") > 0);
    running.kill();
    let report = room.json(&import(&from, &keys));
    assert_eq!(report["read"], 600);
    assert_eq!(report["imported"].as_u64().unwrap() + report["unchanged"].as_u64().unwrap(), 600);
    assert_eq!(room.number("SELECT count(*) FROM credential"), 600);
}

fn rows_that_differ_here_are_left_alone(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let (from, keys) = (keystone_in(&room), keys());
    room.run(&import(&from, &keys)).expect(0);
    crate::support::block_on(async {
        let db = Database::connect(&from).await.unwrap();
        db.execute_unprepared(
            "UPDATE credential SET user_id = 'somebody else' WHERE type = 'totp'",
        )
        .await
        .unwrap();
    });
    let ran = room.run(&[import(&from, &keys), vec!["--format", "json"]].concat()).expect(3);
    let report = ran.json();
    assert_eq!((report["unchanged"].as_u64(), report["imported"].as_u64()), (Some(540), Some(0)));
    assert!(
        report["quarantined"].as_array().unwrap().iter().all(|bad| bad["reason"] == "conflict")
    );
    room.run(&["keys", "verify"]).expect(0);
}
