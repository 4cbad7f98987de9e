//! The root key: its sources, another root for the same ring, an escrow, and generations that are retired.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use strongroom::credential::{NewCredential, Store};
use strongroom::db::{Access, Address, Lock, connect};
use strongroom::key::{FileSource, KeySource as _, Ring, Roots};
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
            let done =
                strongroom::reseal::retire(&db, &ring, &lock, 1, Duration::from_secs(1)).await;
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
    assert!(matches!(retire(), Err(ResealError::StillInUse { generation: 1, cells: 1 })));
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
    ring.change_manifest(&db, |manifest| Ok(manifest.close(generation)?)).await.unwrap();
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

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_root_under_a_passphrase() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(3));
    let passphrase = room.path().join("passphrase");
    private(&passphrase, "correct horse battery staple\n");
    let done = room.json(&["keys", "rewrap", "--to", "passphrase-file:passphrase"]);
    assert_eq!(done["configuration"]["keys"]["sealed_root"], "passphrase.root");
    let source = [("SOURCE", "passphrase"), ("PASSPHRASE_FILE", "passphrase")];
    let verify = ["keys", "verify", "--format", "json"];
    with(&room, &source, &verify).expect(0);
    let sealed_root = fs::read_to_string(room.path().join("passphrase.root")).unwrap();
    assert!(sealed_root.contains("argon2id"), "{sealed_root}");
    with(
        &room,
        &[
            ("SOURCE", "passphrase"),
            ("PASSPHRASE", "correct horse battery staple"),
            ("SEALED_ROOT", "passphrase.root"),
        ],
        &verify,
    )
    .expect(0);

    let code = |ran: Ran| ran.expect(4).json()["error"]["code"].as_str().unwrap().to_owned();
    private(&passphrase, "incorrect horse battery staple\n");
    assert_eq!(code(with(&room, &source, &verify)), "wrong_passphrase");
    private(&passphrase, "\n");
    assert_eq!(code(with(&room, &source, &verify)), "key_malformed");
    private(&passphrase, "correct horse battery staple");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(code(with(&room, &source, &verify)), "key_readable");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let dear = sealed_root.replace("\"memory_kib\":65536", "\"memory_kib\":4294967295");
    private(&room.path().join("passphrase.root"), &dear);
    assert_eq!(code(with(&room, &source, &verify)), "key_malformed");
    fs::remove_file(room.path().join("passphrase.root")).unwrap();
    assert_eq!(code(with(&room, &source, &verify)), "key_missing");
    with(&room, &[("SOURCE", "passphrase")], &verify).expect(2);
}

#[test]
fn a_new_room_under_a_passphrase() {
    let room = Room::empty(Engine::Sqlite);
    private(&room.path().join("passphrase"), "correct horse battery staple");
    let source = [
        ("SOURCE", "passphrase"),
        ("PASSPHRASE_FILE", "passphrase"),
        ("SEALED_ROOT", "elsewhere.root"),
    ];
    assert_eq!(
        with(&room, &source, &["init", "--format", "json"]).expect(0).json()["key_file"],
        "elsewhere.root"
    );
    assert_eq!(
        with(&room, &source, &["init", "--format", "json"]).expect(0).json()["key_made"],
        false
    );
    with(&room, &source, &["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "status"]).expect(4);
}

#[test]
fn rewrap_knows_its_sources() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    for wrong in ["next.key", "file:", "barbican:1", "disk:x"] {
        room.run(&["keys", "rewrap", "--to", wrong]).expect(2);
    }
    room.run(&["keys", "rewrap", "--to", "env:NOT_SET_ANYWHERE"]).expect(4);
    room.run(&["keys", "verify"]).expect(0);
}

/// The rehearsal of the README: the database's dump and the escrowed root are all that is left.
fn restored_from_a_dump_and_the_escrow(engine: Engine, copy: impl FnOnce(&Room, &Room)) {
    let rows = nasty_rows();
    let room = Room::sealed(engine, &rows);
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let escrow = ["keys", "escrow", "--recipient", &recipient, "--out", "root.age"];
    room.run(&escrow).expect(0);
    room.run(&escrow).expect(1);
    fs::remove_file(room.key_file()).unwrap();

    let new = Room::empty(engine);
    copy(&room, &new);
    let armored = fs::read(room.path().join("root.age")).unwrap();
    let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(&armored[..])).unwrap();
    let mut key = String::new();
    decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .unwrap()
        .read_to_string(&mut key)
        .unwrap();
    fs::remove_file(new.key_file()).unwrap();
    private(&new.key_file(), &key);
    new.run(&["keys", "verify"]).expect(0);
    for row in &rows {
        assert_eq!(
            new.json(&["credential", "show", "--id", &row.id, "--reveal"])["secret"],
            row.secret_key
        );
    }
    if engine != Engine::Sqlite {
        // The copy has the original's ring, and so its accounts' names; it must not take them away from it.
        assert!(
            new.run(&["migrate", "down", "--to", "1", "--yes"])
                .expect(4)
                .err
                .contains("must not share them")
        );
        fs::write(new.path().join("strongroom.toml"), "[policy]\nprefix = \"copy_\"\n").unwrap();
    }
    new.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(new.plaintext(), rows);
    private(&room.key_file(), &key);
    room.run(&["policy", "check"]).expect(0);
}

#[test]
fn restored_from_a_dump_and_the_escrow_on_sqlite() {
    restored_from_a_dump_and_the_escrow(Engine::Sqlite, |from, to| {
        fs::remove_file(to.path().join("strongroom.db")).unwrap();
        from.execute(&format!("VACUUM INTO '{}'", to.path().join("strongroom.db").display()));
    });
}

#[test]
fn restored_from_a_dump_and_the_escrow_on_postgresql() {
    restored_from_a_dump_and_the_escrow(Engine::Postgres, |from, to| {
        let pipe = format!(
            "pg_dump --no-privileges -h /tmp -U postgres {} | psql -h /tmp -U postgres -v ON_ERROR_STOP=1 {} > /dev/null && echo done",
            from.database(),
            to.database()
        );
        assert_eq!(from.printed_by_the_server_host(&pipe), "done");
    });
}

#[test]
fn restored_from_a_dump_and_the_escrow_on_mariadb() {
    restored_from_a_dump_and_the_escrow(Engine::MariaDb, |from, to| {
        let pipe = format!(
            "mariadb-dump -uroot -ponly-for-tests --single-transaction {} | mariadb -uroot -ponly-for-tests {} && echo done",
            from.database(),
            to.database()
        );
        assert_eq!(from.printed_by_the_server_host(&pipe), "done");
    });
}

/// Whatever opens the escrow outside this project opens ours.
#[test]
fn the_escrow_is_what_age_itself_reads() {
    let room = Room::empty(Engine::Sqlite);
    let folder = room.path();
    let Ok(made) = Command::new("age-keygen").arg("-o").arg(folder.join("identity")).output()
    else {
        panic!("no age: run `make age`")
    };
    let said = String::from_utf8(made.stderr).unwrap();
    let recipient = said.trim().rsplit(' ').next().unwrap();
    room.run(&["keys", "escrow", "--recipient", recipient, "--out", "root.age"]).expect(0);
    let opened = Command::new("age")
        .args(["--decrypt", "-i"])
        .arg(folder.join("identity"))
        .arg(folder.join("root.age"))
        .output();
    assert_eq!(opened.unwrap().stdout, fs::read(room.key_file()).unwrap());
}
