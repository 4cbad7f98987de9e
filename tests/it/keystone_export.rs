//! Export to Keystone's own table, and a real Keystone that opens it.

mod real;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::keystone::{assert_is_as_expected, expected, import, keys, keystone_in, make_table};
use crate::support::{
    Engine, Ran, Room, numbered_rows, on_every_engine, ran, repository, run_with_input, until,
};

on_every_engine!(
    what_was_imported_goes_back,
    what_differs_is_overwritten_only_when_asked_for,
    every_phase_exports_the_same,
    what_does_not_open_or_fit_is_named_and_passed_over,
);

fn export<'a>(to: &'a str, keys: &'a str) -> Vec<&'a str> {
    vec!["export", "keystone", "--to", to, "--key-repository", keys]
}

/// A Keystone on SQLite with an empty table.
fn keystone() -> Room {
    let keystone = Room::empty(Engine::Sqlite);
    make_table(&keystone);
    keystone
}

/// Our room, with all of Keystone's rows imported.
fn imported(engine: Engine) -> Room {
    let room = Room::sealed(engine, &[]);
    room.run(&import(&keystone_in(&room), &keys())).expect(0);
    room
}

fn unchanged(rows: u64) -> Value {
    json!({ "read": rows, "exported": 0, "updated": 0, "unchanged": rows, "quarantined": [] })
}

/// Every row as it stands, tokens and all.
fn stored(keystone: &Room) -> Vec<Vec<Option<String>>> {
    let columns = ["id", "user_id", "project_id", "type", "extra", "key_hash", "encrypted_blob"];
    keystone.query("SELECT * FROM credential ORDER BY id", |row| {
        columns.map(|name| row.try_get("", name).unwrap()).to_vec()
    })
}

/// Opens each row under the primary key alone, with another implementation of Fernet.
const OPEN: &str = r#"
import sys, json, hashlib, sqlite3
from cryptography.fernet import Fernet
primary = open(sys.argv[2] + "/3", "rb").read()
rows = sqlite3.connect(sys.argv[1]).execute("SELECT id, user_id, project_id, type, extra, key_hash, encrypted_blob FROM credential")
print(json.dumps([[*row[:5], row[5] == hashlib.sha1(primary).hexdigest(), Fernet(primary).decrypt(row[6]).decode()] for row in rows]))
"#;

fn opened(keystone: &Room) -> Vec<Value> {
    let mut python = Command::new(crate::break_glass::python());
    let ran = ran(python.args(["-c", OPEN]).arg(keystone.path().join("strongroom.db")).arg(keys()))
        .expect(0);
    ran.json().as_array().unwrap().clone()
}

/// The blob as clients of Keystone send it, as a JSON value.
fn blob(record: &BTreeMap<String, String>) -> Value {
    if record["type"] != "ec2" {
        return json!(record["secret"]);
    }
    let mut blob: Value = serde_json::from_str(&record["extra"]).unwrap_or(json!({}));
    blob["access"] = json!(record["access"]);
    blob["secret"] = json!(record["secret"]);
    blob
}

fn what_was_imported_goes_back(engine: Engine) {
    let (room, keystone, keys) = (imported(engine), keystone(), keys());
    let export = export(keystone.url(), &keys);
    let fresh =
        json!({ "read": 600, "exported": 600, "updated": 0, "unchanged": 0, "quarantined": [] });
    let mut planned = fresh.clone();
    planned["would_overwrite"] = json!(0);
    assert_eq!(room.json(&[&export[..], &["--dry-run"]].concat()), planned);
    assert_eq!(keystone.number("SELECT count(*) FROM credential"), 0);
    assert_eq!(room.json(&export), fresh);

    let rows = opened(&keystone);
    let by_id: BTreeMap<&str, &Value> =
        rows.iter().map(|row| (row[0].as_str().unwrap(), row)).collect();
    for record in expected() {
        let row = by_id[record["id"].as_str()];
        assert_eq!(
            (&row[1], &row[3], &row[4]),
            (&json!(record["user_id"]), &json!(record["type"]), &json!("{}"))
        );
        assert_eq!(row[2].as_str().unwrap_or_default(), record["project_id"]);
        assert_eq!(row[5], true, "the key's name: {row}");
        let text = row[6].as_str().unwrap();
        let said = if record["type"] == "ec2" {
            let once: String = serde_json::from_str(text).unwrap();
            serde_json::from_str(&once).unwrap()
        } else {
            json!(text)
        };
        assert_eq!(said, blob(&record));
    }
    assert_eq!((by_id.len(), rows.len()), (600, 600));

    let before = stored(&keystone);
    assert_eq!(room.json(&export), unchanged(600));
    assert_eq!(stored(&keystone), before, "the very same tokens");
    let made = room.json(&[
        "credential",
        "create",
        "--user-id",
        "u",
        "--project-id",
        "p",
        "--extra",
        r#"{"n":1}"#,
    ]);
    let report = room.json(&export);
    assert_eq!((&report["exported"], &report["unchanged"]), (&json!(1), &json!(600)));
    let id = "SELECT id FROM credential WHERE user_id = 'u'";
    assert_eq!(keystone.text(id), sha256(made["access"].as_str().unwrap()));
    assert_eq!(room.json(&export), unchanged(601));
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(text))
}

/// The rows that were imported are as Keystone had them: once or twice encoded, under any of its keys.
#[test]
fn an_import_and_an_export_leave_keystone_as_it_was() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let (from, keys) = (keystone_in(&room), keys());
    room.run(&import(&from, &keys)).expect(0);
    let before = std::fs::read(room.path().join("keystone.sqlite")).unwrap();
    assert_eq!(room.json(&export(&from, &keys)), unchanged(600));
    assert_eq!(room.json(&[&export(&from, &keys)[..], &["--yes"]].concat()), unchanged(600));
    assert!(
        std::fs::read(room.path().join("keystone.sqlite")).unwrap() == before,
        "not a byte is written"
    );
}

fn what_differs_is_overwritten_only_when_asked_for(engine: Engine) {
    let (room, keystone, keys) = (imported(engine), keystone(), keys());
    let export = export(keystone.url(), &keys);
    room.run(&export).expect(0);
    let ids: Vec<String> = stored(&keystone).into_iter().filter_map(|row| row[0].clone()).collect();
    // The first page alone would be written: what differs is on the second.
    let (gone, owner, garbled, swapped, extra) =
        (&ids[0], &ids[510], &ids[520], &ids[530], &ids[540]);
    for change in [
        format!("UPDATE credential SET user_id = 'somebody else' WHERE id = '{owner}'"),
        format!("UPDATE credential SET encrypted_blob = 'gAAAAAnonsense' WHERE id = '{garbled}'"),
        format!(
            "UPDATE credential SET encrypted_blob = (SELECT encrypted_blob FROM credential WHERE id = '{owner}') WHERE id = '{swapped}'"
        ),
        format!("UPDATE credential SET extra = '{{\"note\": 1}}' WHERE id = '{extra}'"),
        format!("DELETE FROM credential WHERE id = '{gone}'"),
        "INSERT INTO credential SELECT 'not ours', user_id, project_id, type, extra, key_hash, encrypted_blob FROM credential LIMIT 1"
            .to_owned(),
    ] {
        keystone.execute(&change);
    }
    let before = stored(&keystone);
    let refused = room.run(&export).expect(4);
    assert!(
        refused.err.contains("4 of Keystone's rows")
            && refused.err.contains(owner)
            && refused.err.contains("--yes"),
        "{refused:?}"
    );
    assert_eq!(
        room.run(&[&export[..], &["--format", "json"]].concat()).expect(4).json()["error"]["code"],
        "needs_yes"
    );
    let planned = room.json(&[&export[..], &["--dry-run"]].concat());
    let plan = json!({ "read": 600, "exported": 1, "updated": 0, "unchanged": 595, "quarantined": [], "would_overwrite": 4 });
    assert_eq!(planned, plan);
    let agreed =
        json!({ "read": 600, "exported": 1, "updated": 4, "unchanged": 595, "quarantined": [] });
    assert_eq!(room.json(&[&export[..], &["--dry-run", "--yes"]].concat()), agreed);
    assert_eq!(stored(&keystone), before, "nothing at all is written");

    assert_eq!(room.json(&[&export[..], &["--yes"]].concat()), agreed);
    assert_eq!(room.json(&export), unchanged(600));
    assert_eq!(
        keystone.number("SELECT count(*) FROM credential WHERE id = 'not ours'"),
        1,
        "nothing is deleted"
    );
    assert_eq!(opened(&keystone).len(), 601);
}

fn every_phase_exports_the_same(engine: Engine) {
    let (room, keystone, keys) =
        (Room::with_plaintext(engine, &numbered_rows(5)), keystone(), keys());
    let export = export(keystone.url(), &keys);
    assert_eq!(room.json(&export)["exported"], 5);
    for version in 2..=7 {
        room.run(&["migrate", "up", "--to", &version.to_string(), "--yes"]).expect(0);
        assert_eq!(room.json(&export), unchanged(5), "at version {version}");
    }
    room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(room.json(&export), unchanged(5));
}

fn what_does_not_open_or_fit_is_named_and_passed_over(engine: Engine) {
    let (room, keystone, keys) = (Room::sealed(engine, &numbered_rows(5)), keystone(), keys());
    let unfit = room.json(&[
        "credential",
        "create",
        "--user-id",
        "u",
        "--type",
        "totp",
        "--extra",
        r#"{"note": "mine"}"#,
    ]);
    room.tamper("UPDATE credential SET user_id = 'mallory' WHERE id = 'row-000001'");
    let ran =
        room.run(&[&export(keystone.url(), &keys)[..], &["--format", "json"]].concat()).expect(3);
    let report = ran.json();
    let bad: BTreeMap<&str, &str> = report["quarantined"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bad| (bad["id"].as_str().unwrap(), bad["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(
        bad,
        [("row-000001", "not_for_this_row"), (unfit["id"].as_str().unwrap(), "unfit")].into()
    );
    assert_eq!((&report["read"], &report["exported"]), (&json!(6), &json!(4)));
    assert_eq!(opened(&keystone).len(), 4);
}

#[test]
fn a_row_in_the_place_that_another_moves_to_is_not_overwritten() {
    let mut rows = numbered_rows(2);
    rows[1].id = sha256(rows[0].access_key.as_ref().unwrap());
    rows[1].kind = "totp".into();
    rows[1].access_key = None;
    rows[1].extra = None;
    let (room, keystone, keys) = (Room::sealed(Engine::Sqlite, &rows), keystone(), keys());
    let report = room
        .run(&[&export(keystone.url(), &keys)[..], &["--format", "json"]].concat())
        .expect(3)
        .json();
    assert_eq!(report["quarantined"], json!([{ "id": rows[0].id, "reason": "conflict" }]));
    assert_eq!(report["exported"], 1);
}

#[test]
fn killed_or_interrupted_it_goes_on() {
    let (room, keys) = (Room::with_plaintext(Engine::Sqlite, &numbered_rows(6_000)), keys());
    for signal in ["kill", "interrupt"] {
        let keystone = keystone();
        let export = export(keystone.url(), &keys);
        let running = room.start(&export);
        until("a first page", || keystone.number("SELECT count(*) FROM credential") > 0);
        if signal == "kill" {
            running.kill();
        } else {
            running.interrupt();
            running.finish().expect(130);
        }
        let there = keystone.number("SELECT count(*) FROM credential");
        assert!(there % 500 == 0 && there < 6_000, "{signal}: whole pages: {there}");
        let report = room.json(&export);
        assert_eq!(report["exported"].as_i64().unwrap(), 6_000 - there);
        assert_eq!(report["unchanged"].as_i64().unwrap(), there);
        assert_eq!(room.json(&export), unchanged(6_000));
    }
}

#[test]
fn a_repository_that_cannot_be_written_under_is_refused() {
    let (room, keystone) = (Room::sealed(Engine::Sqlite, &numbered_rows(1)), keystone());
    let folder = room.path().join("keys");
    let said = |code: &str| {
        let folder = folder.display().to_string();
        let ran = room.run(&export(keystone.url(), &folder)).expect(4);
        assert!(ran.err.contains(code), "{ran:?}");
        assert_eq!(keystone.number("SELECT count(*) FROM credential"), 0);
    };
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    said("No such file");
    std::fs::create_dir(&folder).unwrap();
    said("holds no key");
    put("0", "not a key");
    said("does not hold a Fernet key");
    put("0", &std::fs::read_to_string(Path::new(&keys()).join("3")).unwrap());
    put("1", &("A".repeat(43) + "="));
    said("all-zero");
}

#[test]
fn no_secret_in_output_or_logs() {
    let (room, keystone, keys) =
        (Room::sealed(Engine::Sqlite, &numbered_rows(3)), keystone(), keys());
    let check = |code: i32, more: &[&str]| {
        let arguments = [&export(keystone.url(), &keys)[..], &["-vvv"], more].concat();
        let ran = ran(room.command(&arguments).env("RUST_LOG", "trace")).expect(code);
        let key = std::fs::read_to_string(Path::new(&keys).join("3")).unwrap();
        for secret in ["plaintext-secret", "TESTACCESS", "gAAAAA", key.trim()] {
            assert!(!ran.all().contains(secret), "{secret}: {ran:#?}");
        }
    };
    check(0, &[]);
    keystone.execute("UPDATE credential SET user_id = 'somebody else'");
    check(4, &[]);
    check(0, &["--yes"]);
    room.tamper("UPDATE credential SET user_id = 'mallory'");
    check(3, &[]);
}
