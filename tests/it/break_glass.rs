//! The second implementation: a Python script opens what the program sealed.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Engine, Ran, Room, nasty_rows, repository};

/// The interpreter that `make test` prepares, with `cryptography` in it.
pub fn python() -> PathBuf {
    let python = repository().join("target/python/bin/python");
    assert!(python.exists(), "no Python with `cryptography`: run `make python`");
    python
}

pub fn script() -> PathBuf {
    repository().join("examples/open_cell.py")
}

fn open(room: &Room, id: &str, column: &str) -> Ran {
    let mut command = Command::new(python());
    command.arg(script()).arg("--key").arg(room.key_file());
    command
        .args(["--sqlite", "strongroom.db", "--id", id, "--column", column])
        .current_dir(room.path());
    Ran::of(command.output().unwrap())
}

/// Opens the document that `keys quarantine export` writes for a cell.
pub fn open_document(room: &Room, document: &serde_json::Value) -> Ran {
    let file = room.path().join("cell.json");
    std::fs::write(&file, document.to_string()).unwrap();
    Ran::of(
        Command::new(python())
            .arg(script())
            .arg("--key")
            .arg(room.key_file())
            .arg(file)
            .output()
            .unwrap(),
    )
}

#[test]
fn opens_every_cell_with_the_key_and_the_database_alone() {
    let rows = nasty_rows();
    let room = Room::sealed(Engine::Sqlite, &rows);
    room.run(&["keys", "rotate"]).expect(0);
    for row in &rows {
        assert_eq!(open(&room, &row.id, "secret_key").expect(0).out, row.secret_key);
        if let Some(access) = &row.access_key {
            assert_eq!(&open(&room, &row.id, "access_key").expect(0).out, access);
        }
    }
}

#[test]
fn refuses_what_the_program_refuses() {
    let room = Room::sealed(Engine::Sqlite, &nasty_rows());
    room.tamper("UPDATE credential SET user_id = 'mallory' WHERE id = 'row-000001'");
    room.execute(
        "UPDATE credential SET secret_key_sealed = access_key_sealed WHERE id = 'row-000002'",
    );
    for id in ["row-000001", "row-000002"] {
        let ran = open(&room, id, "secret_key");
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    }
}
