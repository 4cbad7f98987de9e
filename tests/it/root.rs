//! The root key: its sources, another root for the same ring, an escrow, and generations that are retired.

mod escrow;
mod passphrase;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use strongroom::credential::{NewCredential, Store};
use strongroom::db::{Access, Address, Lock, connect};
use strongroom::key::{FileSource, Generation, KeySource as _, Ring, Roots};
use strongroom::reseal::ResealError;

use crate::support::{
    Engine, Ran, Room, block_on, nasty_rows, numbered_rows, on_every_engine, ran,
};

on_every_engine!(
    a_rewrap_touches_no_cell_and_is_repeated_harmlessly,
    a_program_that_knows_both_roots_goes_on_through_a_rewrap,
    a_key_made_under_the_root_before_is_not_taken,
    a_generation_without_cells_is_retired_and_wiped,
    a_cell_that_came_back_keeps_its_keys_from_being_wiped,
    cells_under_a_damaged_key_keep_their_generation,
);

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Runs with settings over those of the room.
fn with(room: &Room, settings: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = room.command(arguments);
    for (name, value) in settings {
        command.env(format!("STRONGROOM__KEYS__{name}"), value);
    }
    ran(&mut command)
}

fn a_rewrap_touches_no_cell_and_is_repeated_harmlessly(engine: Engine) {
    let rows = nasty_rows();
    let room = Room::sealed(engine, &rows);
    let cells = room.query_cells();
    let done = room.json(&["keys", "rewrap", "--to", "file:next.key"]);
    let mut keys = room.number("SELECT count(*) FROM strongroom_key");
    keys += room.number("SELECT count(*) FROM strongroom_database_login");
    assert_eq!((done["keys"].as_i64(), done["damaged"].as_i64()), (Some(keys), Some(0)));
    assert_eq!(done["configuration"]["keys"]["file"], "next.key");
    assert_eq!(room.query_cells(), cells);
    assert_eq!(
        fs::metadata(room.path().join("next.key")).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let refused = room.run(&["keys", "verify", "--format", "json"]).expect(4).json();
    assert_eq!(refused["error"]["code"], "wrong_key");
    let next = [("FILE", "next.key")];
    with(&room, &next, &["keys", "verify"]).expect(0);
    with(&room, &[("NEXT__SOURCE", "file"), ("NEXT__FILE", "next.key")], &["keys", "verify"])
        .expect(0);

    // As after a crash between the commit and the last word.
    assert_eq!(room.json(&["keys", "rewrap", "--to", "file:next.key"])["keys"], 0);
    let changed =
        [("FILE", "next.key"), ("NEXT__SOURCE", "file"), ("NEXT__FILE", "strongroom.key")];
    with(&room, &changed, &["keys", "rewrap", "--to", "file:next.key"]).expect(0);
    assert_eq!(room.number("SELECT count(*) FROM strongroom_history WHERE kind = 'rewrap'"), 1);
    with(&room, &next, &["keys", "rotate"]).expect(0);
    with(&room, &next, &["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(room.plaintext(), rows);
}

async fn roots(room: &Room, files: [&str; 2]) -> Arc<Roots> {
    let source = |file: &str| FileSource::new(room.path().join(file));
    let [current, next] = files.map(source);
    Arc::new(Roots::from(current.root().await.unwrap()).with_next(next.root().await.unwrap()))
}

fn a_program_that_knows_both_roots_goes_on_through_a_rewrap(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(20));
    fs::copy(room.key_file(), room.path().join("before.key")).unwrap();
    fs::write(room.path().join("next.key"), "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n")
        .unwrap();
    fs::set_permissions(room.path().join("next.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let store = block_on(async {
        let db = connect(&Address::parse(room.url()).unwrap(), Access::Write).await.unwrap();
        Store::new(db, Some(roots(&room, ["before.key", "next.key"]).await), 0)
    });
    let create = |project: &str| {
        let mut new = NewCredential::make("u".to_owned(), "ec2").unwrap();
        new.project_id = Some(project.to_owned());
        block_on(store.create(&new)).unwrap();
        assert_eq!(
            *block_on(store.find(new.access.as_ref().unwrap(), true)).unwrap().secret.unwrap(),
            *new.secret
        );
    };
    create("a project of its own");
    room.run(&["keys", "rewrap", "--to", "file:next.key"]).expect(0);
    create("a project of its own");
    create("a project that is new after the rewrap");
    with(&room, &[("FILE", "next.key")], &["keys", "verify"]).expect(0);
}

/// A program that has not noticed the rewrap yet must not add keys that nobody else can unwrap.
fn a_key_made_under_the_root_before_is_not_taken(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(5));
    let store = block_on(async {
        let db = connect(&Address::parse(room.url()).unwrap(), Access::Write).await.unwrap();
        Store::new(
            db,
            Some(Arc::new(FileSource::new(room.key_file()).root().await.unwrap().into())),
            0,
        )
    });
    let create = |project: &str| {
        let mut new = NewCredential::make("u".to_owned(), "ec2").unwrap();
        new.project_id = Some(project.to_owned());
        block_on(store.create(&new))
    };
    create("known").unwrap();
    let keys = room.number("SELECT count(*) FROM strongroom_key");
    // What a rewrap does first, between two looks of the program at the manifest.
    room.execute(
        "UPDATE strongroom_manifest SET body = replace(body, '\"root_id\":\"', '\"root_id\":\"00')",
    );
    create("new").unwrap_err();
    assert_eq!(room.number("SELECT count(*) FROM strongroom_key"), keys);
}

/// As a transaction does that was open while its generation was retired.
fn a_cell_that_came_back_keeps_its_keys_from_being_wiped(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let cell = "SELECT secret_key_sealed FROM credential WHERE id = 'row-000001'";
    let old = room.bytes(cell);
    room.run(&["keys", "rotate"]).expect(0);
    let retire = || {
        block_on(async {
            let db = connect(&Address::parse(room.url()).unwrap(), Access::Write).await.unwrap();
            let key = FileSource::new(room.key_file()).root().await.unwrap();
            let ring = Arc::new(Ring::load(&db, Arc::new(key.into())).await.unwrap());
            let lock = Lock::take(&db).await.unwrap();
            let done = strongroom::reseal::retire(
                &db,
                &ring,
                &lock,
                Generation::FIRST,
                Duration::from_secs(1),
            )
            .await;
            lock.release().await.unwrap();
            done
        })
    };
    assert!(!retire().unwrap().wiped);
    room.try_execute(
        "UPDATE credential SET secret_key_sealed = $1 WHERE id = 'row-000001'",
        vec![old.into()],
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(1200));
    assert!(matches!(
        retire(),
        Err(ResealError::StillInUse { generation: Generation::FIRST, cells: 1 })
    ));
    room.run(&["keys", "verify"]).expect(0);
    room.run(&["keys", "rotate"]).expect(0);
    assert!(!retire().unwrap().wiped);
    std::thread::sleep(Duration::from_millis(1200));
    assert!(retire().unwrap().wiped);
    room.run(&["keys", "verify"]).expect(0);
}

fn a_generation_without_cells_is_retired_and_wiped(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(20));
    let code = |ran: Ran| ran.json()["error"]["code"].as_str().unwrap().to_owned();
    let retire = |generation: &str, more: &[&str]| {
        room.run(&[&["keys", "retire", generation, "--yes", "--format", "json"], more].concat())
    };
    assert_eq!(code(retire("1", &[]).expect(4)), "key_in_use");
    assert_eq!(code(retire("9", &[]).expect(1)), "unknown_generation");
    room.run(&["keys", "rotate"]).expect(0);
    let old = room.bytes("SELECT secret_key_sealed FROM credential WHERE id = 'row-000001'");
    room.run(&["keys", "rotate", "--back"]).expect(0);
    room.run(&["keys", "rotate"]).expect(0);

    // A cell that was put back from a copy is in use, and stays readable.
    let now = room.bytes("SELECT secret_key_sealed FROM credential WHERE id = 'row-000001'");
    let put = |cell: &[u8]| {
        room.try_execute(
            "UPDATE credential SET secret_key_sealed = $1 WHERE id = 'row-000001'",
            vec![cell.into()],
        )
        .unwrap()
    };
    put(&old);
    assert_eq!(code(retire("2", &[]).expect(4)), "key_in_use");
    room.run(&["keys", "verify"]).expect(0);
    // As a run leaves it that is killed after closing.
    block_on(close_generation(&room, 2));
    room.run(&["keys", "verify"]).expect(3);
    assert_eq!(code(retire("2", &[]).expect(4)), "key_in_use");
    room.run(&["keys", "verify"]).expect(0);
    put(&now);

    assert!(room.run(&["keys", "retire", "2"]).expect(4).err.contains("--yes"));
    assert_eq!(retire("2", &[]).expect(0).json()["wiped"], false);
    put(&old);
    assert_eq!(room.json(&["keys", "verify"])["failed"][0]["reason"], "retired_key");
    put(&now);
    assert_eq!(retire("1", &["--grace", "0"]).expect(0).json()["wiped"], true);
    assert_eq!(
        room.number(
            "SELECT count(*) FROM strongroom_key WHERE length(wrapped) = 0 AND generation = 1"
        ),
        11
    );
    let states: Vec<_> = room.json(&["keys", "status"])["generations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["state"].clone())
        .collect();
    assert_eq!(states, ["retired", "retired", "active"]);
    room.run(&["keys", "rotate", "--back"]).expect(4);
    room.run(&["keys", "rotate"]).expect(0);
    room.run(&["keys", "rewrap", "--to", "file:next.key"]).expect(0);
    with(&room, &[("FILE", "next.key")], &["keys", "verify"]).expect(0);
}

async fn close_generation(room: &Room, generation: u32) {
    let db = connect(&Address::parse(room.url()).unwrap(), Access::Write).await.unwrap();
    let key = FileSource::new(room.key_file()).root().await.unwrap();
    let ring = Ring::load(&db, Arc::new(key.into())).await.unwrap();
    ring.change_manifest(&db, |manifest| Ok(manifest.close(generation.into())?)).await.unwrap();
}

/// Its key may yet be restored from a backup.
fn cells_under_a_damaged_key_keep_their_generation(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(10));
    room.execute("UPDATE strongroom_key SET scope = 'project:other' WHERE scope = 'project:project-3' AND generation = 1");
    room.run(&["keys", "rotate"]).expect(3);
    room.run(&["keys", "retire", "1", "--yes"]).expect(4);
    room.execute(
        "UPDATE strongroom_key SET scope = 'project:project-3' WHERE scope = 'project:other'",
    );
    room.run(&["keys", "rotate"]).expect(0);
    room.run(&["keys", "retire", "1", "--yes"]).expect(0);
}

#[test]
fn rewrap_refuses_unknown_sources() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    for wrong in ["next.key", "file:", "barbican:1", "disk:x"] {
        room.run(&["keys", "rewrap", "--to", wrong]).expect(2);
    }
    room.run(&["keys", "rewrap", "--to", "env:NOT_SET_ANYWHERE"]).expect(4);
    room.run(&["keys", "verify"]).expect(0);
}
