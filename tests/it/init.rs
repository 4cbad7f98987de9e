//! `init` never makes a root beside a ring.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Engine, Ran, Room, numbered_rows, on_every_engine, ran};

on_every_engine!(init_beside_a_ring_makes_no_root, init_beside_empty_ring_tables_makes_a_root);

/// Everything in a folder, but for what SQLite keeps next to a database that is open.
fn files(room: &Room) -> Vec<String> {
    let names = fs::read_dir(room.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> =
        names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    names.sort();
    names
}

fn init(room: &Room, settings: &[(&str, &str)]) -> Ran {
    let mut command = room.command(&["init", "--format", "json"]);
    for (name, value) in settings {
        command.env(format!("STRONGROOM__KEYS__{name}"), value);
    }
    ran(&mut command)
}

#[track_caller]
fn refused(room: &Room, settings: &[(&str, &str)], code: &str) {
    let before = files(room);
    let refused = init(room, settings).expect(4).json();
    assert_eq!(refused["error"]["code"], code, "{settings:?}: {refused}");
    assert_eq!(files(room), before, "{settings:?}");
}

const OTHER_KEY: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n";

fn init_beside_a_ring_makes_no_root(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    assert_eq!(init(&room, &[]).expect(0).json()["key_made"], false);
    fs::rename(room.key_file(), room.path().join("away.key")).unwrap();
    fs::write(room.path().join("passphrase"), "correct horse\n").unwrap();
    fs::write(room.path().join("other.key"), OTHER_KEY).unwrap();
    for file in ["passphrase", "other.key"] {
        fs::set_permissions(room.path().join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }

    refused(&room, &[], "key_missing");
    refused(&room, &[("FILE", "new.key")], "key_missing");
    refused(&room, &[("FILE", "other.key")], "wrong_key");
    let next = [("NEXT__SOURCE", "file"), ("NEXT__FILE", "away.key")];
    refused(&room, &next, "key_missing");
    refused(&room, &[("SOURCE", "passphrase"), ("PASSPHRASE_FILE", "passphrase")], "key_missing");
    refused(&room, &[("SOURCE", "passphrase"), ("PASSPHRASE", "correct horse")], "key_missing");
    refused(&room, &[("SOURCE", "env"), ("ENV", "NOT_SET")], "key_missing");
    refused(
        &room,
        &[("SOURCE", "env"), ("ENV", "STRONGROOM__KEYS__FILE"), ("FILE", OTHER_KEY.trim())],
        "wrong_key",
    );
    for command in [
        &["migrate", "down", "--to", "5", "--yes"][..],
        &["keys", "verify"],
        &["keys", "rotate"],
        &["serve"],
        &["doctor"],
    ] {
        let before = files(&room);
        assert_ne!(room.run(command).code, 0, "{command:?}");
        assert_eq!(files(&room), before, "{command:?}");
    }

    init(&room, &[("FILE", "away.key")]).expect(0);
    init(&room, &[("FILE", "other.key"), next[0], next[1]]).expect(0);
    // Keys whose manifest is gone are a ring, too.
    room.execute("DELETE FROM strongroom_manifest");
    refused(&room, &[("FILE", "new.key")], "manifest_forged");
}

/// As step 2 leaves them when it is killed before the ring is made.
fn init_beside_empty_ring_tables_makes_a_root(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    for table in ["strongroom_manifest", "strongroom_key"] {
        room.execute(&format!("DELETE FROM {table}"));
    }
    let made = init(&room, &[("FILE", "new.key")]).expect(0).json();
    assert_eq!(made["key_made"], true);
    assert!(room.path().join("new.key").exists());
}

#[test]
fn init_without_an_answer_of_the_server_makes_no_root() {
    let room = Room::empty(Engine::Sqlite);
    fs::remove_file(room.key_file()).unwrap();
    let mut command = room.command(&["init"]);
    command.env("STRONGROOM__DATABASE__URL", "postgres://u:p@127.0.0.1:1/d");
    ran(&mut command).expect(6);
    assert!(!room.key_file().exists());
    // A file that is no database may be a damaged one.
    fs::write(room.path().join("damaged.db"), vec![b'x'; 8192]).unwrap();
    let mut command = room.command(&["init"]);
    command.env(
        "STRONGROOM__DATABASE__URL",
        format!("sqlite://{}?mode=rwc", room.path().join("damaged.db").display()),
    );
    assert_ne!(ran(&mut command).code, 0);
    assert!(!room.key_file().exists());
}
