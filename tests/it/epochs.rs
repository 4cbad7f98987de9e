//! A database that went back: an older manifest, another ring, or none, is refused before anything is written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use sea_orm::Value;
use strongroom::db::{Access, Address, connect};
use strongroom::key::{
    EpochFloor, EpochMemory, FileSource, KeySource as _, RingAccess, RingError, Roots,
};
use strongroom::record::{RecordError, Strongroom};

use crate::support::{
    Engine, Ran, Room, Service, block_on, numbered_rows, on_every_engine, ran, until,
};

on_every_engine!(
    every_older_manifest_is_refused_by_every_command,
    the_library_refuses_an_older_manifest,
    a_running_service_refuses_until_the_operator_accepts,
    a_backup_on_purpose_is_accepted_by_its_epoch_alone,
    a_ring_that_is_gone_is_refused_until_it_is_accepted,
    a_plain_manifest_contradicts_a_sealed_table,
    own_migrations_past_the_ring_and_back_are_not_refused,
);

/// Whatever opens, seals or writes.
const COMMANDS: [&[&str]; 21] = [
    &["credential", "create", "--user-id", "u"],
    &["credential", "show", "--id", "row-000001", "--reveal"],
    &["credential", "list"],
    &["credential", "delete", "--id", "row-000001"],
    &["keys", "status"],
    &["keys", "verify"],
    &["keys", "rotate"],
    &["keys", "rotate", "--back"],
    &["keys", "rewrap", "--to", "file:next.key"],
    &["keys", "retire", "1", "--yes"],
    &["keys", "quarantine", "list"],
    &["migrate", "plan", "--to", "1"],
    &["migrate", "up", "--yes"],
    &["migrate", "down", "--to", "1", "--yes"],
    &["migrate", "down", "--steps", "1", "--dry-run"],
    &["policy", "plan"],
    &["policy", "apply", "--yes"],
    &["policy", "check"],
    &["policy", "rotate-login", "api"],
    &["audit", "verify"],
    &["serve"],
];

type Manifest = (String, i64, Vec<u8>);

fn manifest(room: &Room) -> Manifest {
    let text = room.text("SELECT body FROM strongroom_manifest");
    (
        text,
        room.number("SELECT epoch FROM strongroom_manifest"),
        room.bytes("SELECT mac FROM strongroom_manifest"),
    )
}

fn put_back(room: &Room, (body, epoch, mac): &Manifest) {
    let values: Vec<Value> = vec![body.clone().into(), (*epoch).into(), mac.clone().into()];
    room.try_execute("UPDATE strongroom_manifest SET body = $1, epoch = $2, mac = $3", values)
        .unwrap();
}

/// Everything that a command could have changed.
fn state(room: &Room) -> Vec<String> {
    let mut state = room.query_cells();
    for sql in [
        "SELECT body FROM strongroom_manifest",
        "SELECT coalesce(max(holder), '-') FROM strongroom_lock",
        "SELECT name FROM strongroom_history ORDER BY id DESC LIMIT 1",
    ] {
        state.push(room.text(sql));
    }
    for sql in [
        "SELECT count(*) FROM strongroom_history",
        "SELECT count(*) FROM strongroom_key",
        "SELECT count(*) FROM strongroom_quarantine",
        "SELECT count(*) FROM strongroom_audit",
        "SELECT count(*) FROM strongroom_policy",
    ] {
        state.push(room.number(sql).to_string());
    }
    state
}

fn epoch_file(room: &Room) -> PathBuf {
    room.path().join("strongroom.key.epoch")
}

/// With JSON, and without TLS for `serve`.
fn run(room: &Room, command: &[&str]) -> Ran {
    let mut command = room.command(&[command, &["--format", "json"]].concat());
    ran(command
        .env("STRONGROOM__SERVER__TLS", "false")
        .env("STRONGROOM__SERVER__LISTEN", "127.0.0.1:0"))
}

#[track_caller]
fn refused(ran: Ran, code: &str) -> String {
    let error = ran.expect(4).json()["error"].clone();
    assert_eq!(error["code"], code, "{error}");
    error["help"].as_str().unwrap_or_default().to_owned()
}

/// A database whose manifests of every epoch were kept, as backups keep them; the last one is in force.
fn room_with_backups(engine: Engine) -> (Room, Vec<Manifest>) {
    let room = Room::with_plaintext(engine, &numbered_rows(3));
    let mut kept = Vec::new();
    for version in ["2", "3", "4", "5", "6", "12"] {
        room.run(&["migrate", "up", "--to", version, "--yes"]).expect(0);
        kept.push(manifest(&room));
    }
    room.run(&["keys", "rotate"]).expect(0);
    kept.push(manifest(&room));
    kept.dedup_by_key(|(_, epoch, _)| *epoch);
    assert!(kept.len() >= 5, "{}", kept.len());
    (room, kept)
}

fn every_older_manifest_is_refused_by_every_command(engine: Engine) {
    let (room, mut kept) = room_with_backups(engine);
    let newest = kept.pop().unwrap();
    // The first and the last of the old ones meet every command, those between a few.
    let last = kept.len() - 1;
    for (place, old) in kept.iter().enumerate() {
        put_back(&room, old);
        let before = state(&room);
        let commands = if place == 0 || place == last { &COMMANDS[..] } else { &COMMANDS[..2] };
        for command in commands {
            let ran = run(&room, command);
            assert_eq!(ran.code, 4, "epoch {}: {command:?}: {ran:?}", old.1);
            let help = refused(ran, "manifest_older");
            assert!(help.contains(&format!("keys accept-epoch {}", old.1)), "{help}");
            assert_eq!(state(&room), before, "epoch {}: {command:?}", old.1);
        }
        assert!(
            !room.path().join("next.key").exists(),
            "no key is made for a database that went back"
        );
        let status = room.run(&["migrate", "status", "--format", "json"]).expect(3).json();
        assert_eq!(status["findings"][0]["code"], "manifest_older");
        let doctor = room.run(&["doctor"]);
        assert!(doctor.code == 3 && doctor.out.contains("accept-epoch"), "{doctor:?}");
    }
    put_back(&room, &newest);
    room.run(&["keys", "verify"]).expect(0);
    room.run(&["doctor"]).expect(0);
}

fn the_library_refuses_an_older_manifest(engine: Engine) {
    let (room, kept) = room_with_backups(engine);
    let newest = kept.last().unwrap();
    let address = || Address::parse(room.url()).unwrap();
    let db = block_on(connect(&address(), Access::Write)).unwrap();
    let roots: Arc<Roots> =
        Arc::new(block_on(FileSource::new(room.key_file()).root()).unwrap().into());
    let remembered = || {
        EpochFloor::from(0)
            .with_memory(EpochMemory::new(epoch_file(&room), address().without_login()))
    };
    let load = |floor: EpochFloor| {
        block_on(Strongroom::load(db.clone(), RingAccess::new(roots.clone(), floor)))
    };
    let is_older = |error| matches!(error, RecordError::Ring(RingError::Older { .. }));

    let running = load(0.into()).unwrap();
    put_back(&room, &kept[0]);
    assert!(is_older(block_on(running.require(&[])).unwrap_err()), "what it has seen itself");
    assert!(is_older(load(newest.1.into()).err().unwrap()), "pinned");
    assert!(is_older(load(remembered()).err().unwrap()), "remembered");
    put_back(&room, newest);
    block_on(running.require(&[])).unwrap();
    load(remembered()).unwrap();
    block_on(db.close()).unwrap();
}

fn a_running_service_refuses_until_the_operator_accepts(engine: Engine) {
    let (room, kept) = room_with_backups(engine);
    let (newest, old) = (kept.last().unwrap(), &kept[kept.len() - 2]);
    let service: Service = room.serve("");
    let api = service.caller("api");
    let verdict = || api.get("/v1/credentials").verdict();
    let create = || api.post("/v1/credentials", &serde_json::json!({ "user_id": "u" })).status;
    assert_eq!(create(), 201);
    put_back(&room, old);
    until("the service notices", || verdict() == "503 ring_went_back");
    assert_eq!(create(), 503);
    until("it is not ready", || api.get("/readyz").status == 503);
    assert!(api.get("/readyz").text.contains("ring_went_back"));
    put_back(&room, newest);
    until("the newest manifest is back", || create() == 201);
    put_back(&room, old);
    until("the service notices again", || verdict() == "503 ring_went_back");
    room.run(&["keys", "accept-epoch", &old.1.to_string()]).expect(0);
    until("it goes on without a restart", || api.get("/v1/credentials").status == 200);
    service.stop();
}

fn a_backup_on_purpose_is_accepted_by_its_epoch_alone(engine: Engine) {
    let (room, kept) = room_with_backups(engine);
    let (newest, old) = (kept.last().unwrap(), &kept[kept.len() - 2]);
    put_back(&room, old);
    for wrong in [0, old.1 - 1, old.1 + 1, newest.1] {
        refused(
            room.run(&["keys", "accept-epoch", &wrong.to_string(), "--format", "json"]),
            "epoch_differs",
        );
    }
    refused(room.run(&["keys", "verify", "--format", "json"]), "manifest_older");
    room.run(&["keys", "accept-epoch", &old.1.to_string()]).expect(0);
    room.run(&["credential", "list"]).expect(0);
    assert_eq!(fs::metadata(epoch_file(&room)).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(epoch_file(&room)).unwrap().lines().count(), 1);
    // A newer one raises it again, and the older one is then refused again.
    put_back(&room, newest);
    room.run(&["keys", "verify"]).expect(0);
    put_back(&room, old);
    refused(room.run(&["keys", "verify", "--format", "json"]), "manifest_older");
}

fn a_ring_that_is_gone_is_refused_until_it_is_accepted(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(2));
    room.run(&["migrate", "up", "--to", "2"]).expect(0);
    room.execute("DROP TABLE strongroom_manifest");
    for command in [
        &["credential", "create", "--user-id", "u"][..],
        &["credential", "list"],
        &["migrate", "plan"],
    ] {
        let help = refused(room.run(&[command, &["--format", "json"]].concat()), "ring_changed");
        assert!(help.contains("keys accept-epoch 0"), "{help}");
    }
    assert_eq!(
        room.run(&["migrate", "status", "--format", "json"]).expect(3).json()["findings"][0]["code"],
        "ring_changed"
    );
    refused(room.run(&["keys", "accept-epoch", "1", "--format", "json"]), "epoch_differs");
    room.run(&["keys", "accept-epoch", "0"]).expect(0);
    room.run(&["credential", "list"]).expect(0);
}

/// Without a memory of epochs: a table that is sealed is not taken for plaintext, with planted columns or without.
fn a_plain_manifest_contradicts_a_sealed_table(engine: Engine) {
    let (room, kept) = room_with_backups(engine);
    let plain = kept.iter().find(|(body, _, _)| !body.contains("\"credential\":\"")).unwrap();
    put_back(&room, plain);
    for planted in [false, true] {
        if planted {
            room.execute("ALTER TABLE credential ADD COLUMN access_key varchar(255)");
            room.execute(
                "ALTER TABLE credential ADD COLUMN secret_key varchar(64) DEFAULT 'planted'",
            );
        }
        for command in [&COMMANDS[0], &COMMANDS[1], &COMMANDS[12], &COMMANDS[20]] {
            let _ = fs::remove_file(epoch_file(&room));
            let ran = run(&room, command);
            assert!(!ran.all().contains("planted\""), "{ran:?}");
            refused(ran, "phase_contradicts");
        }
    }
}

fn own_migrations_past_the_ring_and_back_are_not_refused(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let warned =
        |ran: Ran| assert!(!ran.expect(0).err.contains("epoch file"), "{}", room.path().display());
    warned(room.run(&["migrate", "down", "--to", "0", "--yes"]));
    assert_eq!(fs::read_to_string(epoch_file(&room)).unwrap(), "");
    warned(room.run(&["migrate", "up", "--yes"]));
    warned(room.run(&["keys", "verify"]));
    assert!(room.run(&["migrate", "up", "--yes"]).expect(0).out.contains("nothing to do"));
    room.run(&["migrate", "down", "--to", "10", "--yes"]).expect(0);
    let up = room.run(&["migrate", "up", "--yes"]).expect(0);
    let pin = format!("minimum_epoch = {}", room.number("SELECT epoch FROM strongroom_manifest"));
    assert!(up.out.contains(&pin), "{}", up.out);
}

#[test]
fn another_ring_under_the_same_address_is_refused() {
    let rows = numbered_rows(2);
    let (here, there) =
        (Room::with_plaintext(Engine::Sqlite, &rows), Room::with_plaintext(Engine::Sqlite, &rows));
    fs::copy(here.key_file(), there.key_file()).unwrap();
    for room in [&here, &there] {
        room.run(&["migrate", "up", "--yes"]).expect(0);
    }
    fs::copy(there.path().join("strongroom.db"), here.path().join("strongroom.db")).unwrap();
    let help = refused(here.run(&["keys", "verify", "--format", "json"]), "ring_changed");
    let epoch = here.number("SELECT epoch FROM strongroom_manifest");
    assert!(help.contains(&format!("accept-epoch {epoch}")), "{help}");
    here.run(&["keys", "accept-epoch", &epoch.to_string()]).expect(0);
    here.run(&["keys", "verify"]).expect(0);
}

#[test]
fn a_damaged_epoch_file_is_said_and_does_not_refuse() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(2));
    let good = fs::read_to_string(epoch_file(&room)).unwrap();
    for bad in [
        "no line at all\n",
        &good.replace("\"epoch\":", "\"epoch\":1"),
        &good.replace("\"code\":\"", "\"code\":\"00"),
    ] {
        fs::write(epoch_file(&room), bad).unwrap();
        for _ in 0..2 {
            let ran = room.run(&["keys", "verify"]).expect(0);
            assert!(ran.err.contains("does not verify"), "{}", ran.err);
        }
        assert!(room.run(&["doctor"]).out.contains("does not verify"));
        assert_eq!(fs::read_to_string(epoch_file(&room)).unwrap(), bad, "it stays to be seen");
    }
    let epoch = room.number("SELECT epoch FROM strongroom_manifest").to_string();
    room.run(&["keys", "accept-epoch", &epoch]).expect(0);
    assert!(!room.run(&["keys", "verify"]).expect(0).err.contains("epoch file"));
}

#[test]
fn a_host_without_an_epoch_file_says_so() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    fs::remove_file(epoch_file(&room)).unwrap();
    assert!(room.run(&["keys", "verify"]).expect(0).err.contains("does not know this database"));
    assert!(!room.run(&["keys", "verify"]).expect(0).err.contains("does not know this database"));
    let key = fs::read_to_string(room.key_file()).unwrap();
    let mut doctor = room.command(&["doctor"]);
    doctor.env("STRONGROOM__KEYS__SOURCE", "env").env("STRONGROOM_ROOT_KEY", key.trim());
    assert!(ran(&mut doctor).out.contains("`keys.epoch_file`"));
}

/// Two databases, one key file: each has a line, and writers at once lose none and lower none.
#[test]
fn several_databases_share_a_file() {
    let rows = numbered_rows(1);
    let (here, there) = (Room::sealed(Engine::Sqlite, &rows), Room::sealed(Engine::Sqlite, &rows));
    let shared = here.path().join("shared.epoch");
    let verify = |room: &Room| {
        let mut command = room.command(&["keys", "verify"]);
        command
            .env("STRONGROOM__KEYS__EPOCH_FILE", &shared)
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let running: Vec<_> = (0..6).map(|n| verify(if n % 2 == 0 { &here } else { &there })).collect();
    for mut command in running {
        assert!(command.wait().unwrap().success());
    }
    let lines = fs::read_to_string(&shared).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(!lines.contains("***"), "{lines}");
}

/// The epoch file is named after the key file: the memory goes along when that changes.
#[test]
fn a_rewrap_takes_the_memory_along() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    let old = manifest(&room);
    room.run(&["keys", "rewrap", "--to", "file:next.key"]).expect(0);
    let next = |arguments: &[&str]| {
        let mut command = room.command(arguments);
        command
            .env("STRONGROOM__KEYS__FILE", "next.key")
            .env("STRONGROOM__KEYS__NEXT__SOURCE", "file");
        ran(command.env("STRONGROOM__KEYS__NEXT__FILE", "strongroom.key"))
    };
    assert!(!next(&["keys", "verify"]).expect(0).err.contains("epoch file"));
    put_back(&room, &old);
    let ran = next(&["keys", "verify", "--format", "json"]);
    assert_eq!(ran.expect(4).json()["error"]["code"], "manifest_older");
}
