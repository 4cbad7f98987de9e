//! Keystone's repositories, rows, configuration and addresses as operators have them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::keystone::{import, make_table};
use crate::support::{Engine, Room, on_every_engine, on_every_server, ran, repository};

on_every_engine!(
    every_odd_row_is_taken_or_named_with_its_cause,
    update_takes_keystones_values_and_counts_the_missing
);

mod addresses {
    use super::*;

    on_every_server!(import_takes_sqlalchemys_address);
}

fn data(name: &str) -> PathBuf {
    repository().join("tests/data").join(name)
}

/// A copy of a case, since reading SQLite's files may write beside them.
fn copied(room: &Room, name: &str) -> (String, String) {
    let copy = room.path().join(format!("{name}.sqlite"));
    fs::copy(data(name).join("keystone.sqlite"), &copy).unwrap();
    (
        format!("sqlite://{}", copy.display()),
        data(name).join("credential-keys").display().to_string(),
    )
}

#[test]
fn keys_in_the_standard_alphabet_open_every_row() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let (from, keys) = copied(&room, "keystone-standard-alphabet");
    assert_eq!(room.json(&import(&from, &keys))["imported"], 8);
    let mut expected =
        csv::Reader::from_path(data("keystone-standard-alphabet").join("expected.csv")).unwrap();
    for record in expected.deserialize().map(|record| record.unwrap()) {
        let record: BTreeMap<String, String> = record;
        let shown = room.json(&["credential", "show", "--id", &record["id"], "--reveal"]);
        for name in ["id", "type", "user_id", "project_id", "access", "secret"] {
            assert_eq!(shown[name], record[name], "{name}");
        }
    }
}

/// What the cause of a row that is not taken must say.
const SAYS: [(&str, &str); 6] = [
    ("under a key that was removed", "no key here has this key_hash"),
    ("user id of 70 characters", "the user id is too long"),
    ("EC2 without a secret", "the secret is missing"),
    ("EC2 blob that is no JSON", "is no JSON"),
    ("column extra that is no JSON", "the column `extra` is no JSON"),
    ("EC2 whose access key was changed by PATCH", "--accept-id-mismatch"),
];

fn every_odd_row_is_taken_or_named_with_its_cause(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let (from, keys) = copied(&room, "keystone-odd-rows");
    let report =
        room.run(&[import(&from, &keys), vec!["--format", "json"]].concat()).expect(3).json();
    let right: Vec<BTreeMap<String, String>> = serde_json::from_str(
        &fs::read_to_string(data("keystone-odd-rows").join("right.json")).unwrap(),
    )
    .unwrap();
    let named: BTreeMap<&str, &Value> = report["quarantined"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bad| (bad["id"].as_str().unwrap(), bad))
        .collect();
    for row in &right {
        let bad = named.get(row["id"].as_str());
        if row["right"].starts_with("imported") {
            assert!(bad.is_none(), "{row:?}: {bad:?}");
            assert!(
                room.json(&["credential", "show", "--id", &row["id"], "--reveal"])["secret"]
                    .is_string()
            );
            continue;
        }
        let (bad, reason) = (bad.unwrap(), row["right"].split([',', ';']).next().unwrap());
        let (_, says) = SAYS.iter().find(|(what, _)| *what == row["what"]).unwrap();
        assert_eq!(bad["reason"], reason, "{row:?}");
        assert!(bad["cause"].as_str().unwrap().contains(says), "{row:?}: {bad}");
    }
    assert_eq!((&report["read"], &report["imported"]), (&json!(19), &json!(13)));
    let text = room.run(&import(&from, &keys)).expect(3).out;
    assert!(text.contains("malformed: the secret is missing"), "{text}");
    let accepted = room
        .run(&[import(&from, &keys), vec!["--accept-id-mismatch", "--format", "json"]].concat())
        .expect(3)
        .json();
    assert_eq!((&accepted["imported"], &accepted["unchanged"]), (&json!(1), &json!(13)));
}

/// Adds rows whose blobs have members of other programs, and prints every row that opens, with its meaning.
const ROWS: &str = r#"
import sys, json, hashlib, sqlite3
from cryptography.fernet import Fernet, MultiFernet
db, keys = sqlite3.connect(sys.argv[1]), sys.argv[2]
fernet = MultiFernet([Fernet(open(keys + name).read()) for name in ("/9", "/3", "/0")])
if sys.argv[3] == "add":
    for access, blob in {
        "a1": {"access": "a1", "secret": "s", "trust_id": None, "site": {"rack": [1, 2.5, "é"]}, "n": 18446744073709551615},
        "a2": {"access": "a2", "secret": "", "app_cred_id": "x", "": 0},
    }.items():
        token = fernet.encrypt(json.dumps(blob).encode()).decode()
        broken = "\r\n ".join(token[at:at + 60] for at in range(0, len(token), 60)).replace("-", "+").replace("_", "/")
        id = hashlib.sha256(access.encode()).hexdigest()
        values = (id, "u", None, broken, "ec2", "h", '{"description": "é", "n": [1]}')
        db.execute("INSERT INTO credential (id, user_id, project_id, encrypted_blob, type, key_hash, extra) VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    db.commit()
def meaning(kind, text):
    if kind == "ec2":
        while isinstance(text, str): text = json.loads(text)
    return text
rows = []
for id, user, project, kind, token, extra in db.execute("SELECT id, user_id, project_id, type, encrypted_blob, extra FROM credential ORDER BY id"):
    try: rows.append([id, user, project, kind, meaning(kind, fernet.decrypt(token.encode()).decode()), json.loads(extra or "{}")])
    except Exception: pass
print(json.dumps(rows))
"#;

fn rows(database: &Path, keys: &str, mode: &str) -> Vec<Value> {
    let mut python = Command::new(crate::break_glass::python());
    let printed = ran(python.args(["-c", ROWS]).arg(database).args([keys, mode])).expect(0);
    printed.json().as_array().unwrap().clone()
}

#[test]
fn every_row_that_came_in_goes_back_with_its_meaning() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let (from, keys) = copied(&room, "keystone-odd-rows");
    let before = rows(&room.path().join("keystone-odd-rows.sqlite"), &keys, "add");
    let import = [import(&from, &keys), vec!["--accept-id-mismatch", "--format", "json"]].concat();
    let report = room.run(&import).expect(3).json();
    assert_eq!(report["imported"], 16);
    let keystone = Room::empty(Engine::Sqlite);
    make_table(&keystone);
    let export = ["export", "keystone", "--to", keystone.url(), "--key-repository", &keys];
    assert_eq!(room.json(&export)["exported"], 16);
    let after = rows(&keystone.path().join("strongroom.db"), &keys, "list");
    let named: Vec<&Value> =
        report["quarantined"].as_array().unwrap().iter().map(|bad| &bad["id"]).collect();
    let taken: Vec<&Value> = before.iter().filter(|row| !named.contains(&&row[0])).collect();
    assert_eq!((after.len(), after.iter().collect::<Vec<_>>()), (16, taken));
    assert_eq!(room.json(&export)["unchanged"], 16, "the same command again changes nothing");
    assert_eq!(
        room.json(&["export", "keystone", "--to", &from, "--key-repository", &keys])["unchanged"],
        16
    );
}

#[test]
fn a_repository_holds_files_with_numbers_only() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let (from, keys) = copied(&room, "keystone-odd-rows");
    let mounted = room.path().join("mounted");
    fs::create_dir_all(mounted.join("..data")).unwrap();
    for name in ["0", "3", "9"] {
        fs::copy(Path::new(&keys).join(name), mounted.join("..data").join(name)).unwrap();
        std::os::unix::fs::symlink(format!("..data/{name}"), mounted.join(name)).unwrap();
    }
    fs::create_dir(mounted.join("10")).unwrap();
    assert!(Command::new("mkfifo").arg(mounted.join("11")).status().unwrap().success());
    for name in ["0.tmp", "+12", "1_3", "key", "99999999999999999999999999999999x"] {
        fs::write(mounted.join(name), "no key").unwrap();
    }
    let report = room
        .run(&[import(&from, mounted.to_str().unwrap()), vec!["--format", "json"]].concat())
        .expect(3)
        .json();
    assert_eq!(report["imported"], 13);
    fs::write(mounted.join("99999999999999999999999999999999"), "no key").unwrap();
    let refused = room.run(&import(&from, mounted.to_str().unwrap())).expect(4);
    assert!(refused.err.contains("does not hold a Fernet key"), "{refused:?}");
}

fn update_takes_keystones_values_and_counts_the_missing(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let (from, keys) = copied(&room, "keystone-odd-rows");
    let import = |more: &[&str], code| {
        room.run(&[&import(&from, &keys)[..], &["--format", "json"], more].concat())
            .expect(code)
            .json()
    };
    import(&[], 3);
    let totp = "0aba3915c5c1eed0e2d389a69121e697";
    let secret = || room.json(&["credential", "show", "--id", totp, "--reveal"])["secret"].clone();
    let was = secret();
    room.run(&["credential", "delete", "--id", totp]).expect(0);
    let other = room.path().join("secret");
    fs::write(&other, "another").unwrap();
    let create = [
        "credential",
        "create",
        "--user-id",
        "u",
        "--type",
        "totp",
        "--secret-file",
        other.to_str().unwrap(),
    ];
    let made = room.json(&create)["id"].as_str().unwrap().to_owned();
    let ec2 = room.json(&["credential", "create", "--user-id", "u"]);
    let conflict = |id: &str| {
        let python = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('UPDATE credential SET id = ? WHERE id = ?', sys.argv[2:]); d.commit()";
        let database = room.path().join("keystone-odd-rows.sqlite");
        let mut command = Command::new(crate::break_glass::python());
        ran(command.args(["-c", python]).arg(database).args([&made, id])).expect(0);
    };
    conflict(totp);
    let refused = import(&[], 3);
    let is_conflict = |bad: &&Value| {
        bad["reason"] == "conflict" && bad["cause"].as_str().unwrap().contains("--update")
    };
    assert_eq!(refused["quarantined"].as_array().unwrap().iter().filter(is_conflict).count(), 1);
    assert!(refused.get("missing_there").is_none() && refused.get("updated").is_none());
    let planned = import(&["--update", "--dry-run"], 3);
    assert_eq!((&planned["updated"], &planned["missing_there"]), (&json!(1), &json!(1)));
    let updated = import(&["--update"], 3);
    assert_eq!(
        (&updated["updated"], &updated["unchanged"], &updated["missing_there"]),
        (&json!(1), &json!(12), &json!(1))
    );
    let shown = room.json(&["credential", "show", "--id", &made, "--reveal"]);
    assert_eq!(shown["secret"], was);
    assert!(
        room.json(&["credential", "show", "--id", ec2["id"].as_str().unwrap()])["user_id"] == "u",
        "nothing is deleted"
    );
    assert_eq!(import(&["--update"], 3)["updated"], 0);
    room.run(&["keys", "verify"]).expect(0);
}

#[test]
fn keystones_own_configuration_names_database_and_keys() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let (_, keys) = copied(&room, "keystone-odd-rows");
    let database = room.path().join("keystone-odd-rows.sqlite");
    let conf = room.path().join("keystone.conf");
    let with = |connection: &str, code: i32| {
        let text = format!(
            "# comment\n[DEFAULT]\nhome = {}\n\n[database]\nconnection = {connection}\nmax_retries = -1\n\n[credential]\nkey_repository =\nkey_repository = \"{keys}\"\n",
            room.path().display()
        );
        fs::write(&conf, text).unwrap();
        room.run(&[
            "import",
            "keystone",
            "--keystone-config",
            "keystone.conf",
            "--dry-run",
            "--format",
            "json",
        ])
        .expect(code)
    };
    for connection in [
        format!("sqlite:///{}", database.display()),
        "sqlite:///keystone-odd-rows.sqlite".to_owned(),
        "sqlite+pysqlite:///$home/keystone-odd-rows.sqlite?timeout=5".to_owned(),
    ] {
        assert_eq!(with(&connection, 3).json()["read"], 19, "{connection}");
    }
    for connection in [
        "mysql+pymysql://k:canary$word@127.0.0.1:1/keystone",
        "mysql+pymysql://k:p@canary@127.0.0.1:1/keystone",
    ] {
        let refused = with(connection, 2);
        assert!(!refused.all().contains("canary"), "{refused:?}");
    }
    let unreachable = with("mysql+pymysql://k:ca#na/ry@127.0.0.1:1/keystone", 6);
    assert!(
        unreachable.json()["error"]["help"].as_str().unwrap().contains("[database] connection"),
        "{unreachable:?}"
    );
    fs::write(&conf, "[credential]\n").unwrap();
    let unset = room.run(&["import", "keystone", "--keystone-config", "keystone.conf"]).expect(2);
    assert!(
        unset.err.contains("[database] connection") && unset.err.contains("--from-file"),
        "{unset:?}"
    );
    let export = [
        "export",
        "keystone",
        "--keystone-config",
        "keystone.conf",
        "--to",
        "sqlite:////nowhere.db",
    ];
    assert!(room.run(&export).expect(4).err.contains("/etc/keystone/credential-keys"));
}

#[test]
fn from_takes_sqlites_paths_in_either_form() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let (_, keys) = copied(&room, "keystone-odd-rows");
    let absolute = room.path().join("keystone-odd-rows.sqlite").display().to_string();
    for from in [
        format!("sqlite://{absolute}"),
        format!("sqlite:///{absolute}"),
        "sqlite:///keystone-odd-rows.sqlite".to_owned(),
        "sqlite://keystone-odd-rows.sqlite".to_owned(),
        "sqlite+pysqlite:///keystone-odd-rows.sqlite?check_same_thread=false".to_owned(),
    ] {
        let report = room
            .run(&[import(&from, &keys), vec!["--dry-run", "--format", "json"]].concat())
            .expect(3)
            .json();
        assert_eq!(report["read"], 19, "{from}");
    }
}

fn import_takes_sqlalchemys_address(engine: Engine) {
    let (room, server) = (Room::sealed(Engine::Sqlite, &[]), Room::empty(engine));
    make_table(&server);
    let (_, keys) = copied(&room, "keystone-odd-rows");
    let (_, rest) = server.url().split_once("://").unwrap();
    let forms: &[&str] = match engine {
        Engine::Postgres => &[
            "postgresql+psycopg2://{}?client_encoding=utf8",
            "postgresql+asyncpg://{}?ssl=prefer",
            "postgres://{}?connect_timeout=5",
        ],
        _ => &[
            "mysql+pymysql://{}?charset=utf8",
            "mysql+mysqldb://{}",
            "mariadb+mariadbconnector://{}",
            "mysql://{}?charset=utf8mb4&plugin=dbcounter",
        ],
    };
    for form in forms {
        let report =
            room.json(&[import(&form.replace("{}", rest), &keys), vec!["--dry-run"]].concat());
        assert_eq!(report["read"], 0, "{form}");
    }
    for (from, says) in [
        ("mysql://keystone:p@canary@127.0.0.1/keystone", "`%40`"),
        ("mysql+pymysql://k:canary@h/k?x=1", "`x`"),
    ] {
        let refused = room.run(&import(from, &keys)).expect(2);
        assert!(refused.err.contains(says) && !refused.all().contains("canary"), "{refused:?}");
    }
}
