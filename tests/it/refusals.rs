//! What the program refuses, with which code, and what it tells a person to do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Engine, Room, numbered_rows, on_every_engine, ran, repository};

on_every_engine!(
    keys_that_are_missing_or_open_or_wrong,
    histories_that_are_edited_or_newer,
    a_foreign_table_in_the_way,
    destruction_without_yes,
    plaintext_in_a_sealed_column,
    looking_writes_nothing,
    a_dry_run_does_nothing,
);

fn keys_that_are_missing_or_open_or_wrong(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let key = fs::read_to_string(room.key_file()).unwrap();
    let put = |text: &str, mode: u32| {
        let _ = fs::remove_file(room.key_file());
        fs::write(room.key_file(), text).unwrap();
        fs::set_permissions(room.key_file(), fs::Permissions::from_mode(mode)).unwrap();
    };
    let code = || {
        room.run(&["keys", "verify", "--format", "json"]).expect(4).json()["error"]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for mode in [0o640, 0o604, 0o601, 0o610] {
        put(&key, mode);
        assert_eq!(code(), "key_readable", "{mode:o}");
    }
    put("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0o600);
    assert_eq!(code(), "key_weak");
    put("c2hvcnQ=", 0o600);
    assert_eq!(code(), "key_malformed");
    put("Zm9yIHRlc3RzIG9ubHkgZm9yIHRlc3RzIG9ubHkgISE=", 0o600);
    assert_eq!(code(), "wrong_key");
    fs::remove_file(room.key_file()).unwrap();
    assert_eq!(code(), "key_missing");
    put(&key, 0o400);
    room.run(&["keys", "verify"]).expect(0);
    room.run(&["init"]).expect(0);
    assert_eq!(
        fs::read_to_string(room.key_file()).unwrap(),
        key,
        "init leaves an existing key alone"
    );
}

fn histories_that_are_edited_or_newer(engine: Engine) {
    let room = Room::with_plaintext(engine, &[]);
    let checksum = room.text("SELECT checksum FROM strongroom_history WHERE number = 1");
    room.execute("UPDATE strongroom_history SET checksum = 'edited' WHERE number = 1");
    let ran = room.run(&["migrate", "up", "--yes", "--format", "json"]).expect(4);
    assert_eq!(ran.json()["error"]["code"], "checksum");
    room.execute(&format!(
        "UPDATE strongroom_history SET checksum = '{checksum}' WHERE number = 1"
    ));
    room.execute(
        "INSERT INTO strongroom_history (id, number, name, kind, direction, started_at, finished_at, holder, token) \
         VALUES (99, 8, 'from_the_future', 'schema', 'up', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 'h', 1)",
    );
    let ran = room.run(&["migrate", "up", "--yes", "--format", "json"]).expect(4);
    assert_eq!(ran.json()["error"]["code"], "database_newer");
}

fn a_foreign_table_in_the_way(engine: Engine) {
    let room = Room::empty(engine);
    room.execute("CREATE TABLE credential (id varchar(64) PRIMARY KEY)");
    let commands: [&[&str]; 4] = [
        &["migrate", "up", "--yes"],
        &["migrate", "status"],
        &["credential", "create", "--user-id", "u"],
        &["keys", "status"],
    ];
    for command in commands {
        let ran = room.run(&[command, &["--format", "json"]].concat()).expect(4);
        assert_eq!(ran.json()["error"]["code"], "foreign_table", "{command:?}");
    }
}

fn destruction_without_yes(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(2));
    room.run(&["migrate", "up"]).expect(4);
    room.run(&["migrate", "up", "--to", "5"]).expect(0);
    room.run(&["migrate", "down", "--to", "1"]).expect(4);
    assert_eq!(room.json(&["migrate", "status"])["pending"], 7);
}

/// Written by accident, past every type: the database itself says no, and does not repeat the row.
fn plaintext_in_a_sealed_column(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    for text in ["canary-plaintext", &"canary-plaintext".repeat(20)] {
        let update = "UPDATE credential SET secret_key_sealed = $1 WHERE id = 'row-000001'";
        let error = room.try_execute(update, vec![text.as_bytes().to_vec().into()]).unwrap_err();
        assert!(!format!("{error}").contains("canary"), "{error}");
    }
}

fn looking_writes_nothing(engine: Engine) {
    let room = Room::empty(engine);
    let status = room.run(&["migrate", "status", "--format", "json"]).expect(0).json();
    assert_eq!(
        (status["pending"].as_u64(), status["migrations"][0]["name"].as_str()),
        (Some(12), Some("create_credential"))
    );
    room.run(&["migrate", "status", "--check"]).expect(3);
    room.run(&["keys", "status"]).expect(1);
    assert_eq!(room.tables(), 0);
}

fn a_dry_run_does_nothing(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(2));
    let would = room.run(&["migrate", "up", "--dry-run", "--format", "json"]).expect(0).json();
    assert_eq!(
        (would["would_run"].as_array().unwrap().len(), would["rows"].as_u64()),
        (11, Some(2))
    );
    room.run(&["migrate", "down", "--to", "0", "--dry-run"]).expect(0);
    assert_eq!(room.json(&["migrate", "status"])["pending"], 11);
}

/// As a later release might write it, under the right key.
#[test]
fn a_manifest_that_a_newer_program_wrote() {
    use strongroom::crypto::{
        KeyId, ManifestKey, Purpose, RingId, RootKey, WrappedKeyLabel, manifest_mac, unwrap_key,
    };
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(2));
    let key = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        fs::read(room.key_file()).unwrap().trim_ascii(),
    );
    let root_key = RootKey::from_bytes(&key.unwrap().try_into().unwrap()).unwrap();
    let ring = room.bytes("SELECT ring_id FROM strongroom_manifest");
    let ring = RingId::try_from(ring.as_slice()).unwrap();
    let label = WrappedKeyLabel {
        ring: &ring,
        id: KeyId::new(1),
        purpose: Purpose::Manifest,
        scope: "-",
        generation: 1,
    };
    let wrapped = room.bytes("SELECT wrapped FROM strongroom_key WHERE id = 1");
    let manifest_key: ManifestKey = unwrap_key(&root_key, &label, &wrapped).unwrap();
    let body = room.text("SELECT body FROM strongroom_manifest");
    let newer = [
        body.replace("\"credential\":\"sealed\"", "\"credential\":\"shredded\""),
        body.replacen('{', "{\"colour\":\"blue\",", 1),
        body.replace("\"state\":\"active\"", "\"state\":\"asleep\""),
    ];
    for newer in newer {
        assert_ne!(newer, body);
        let mac = manifest_mac(&manifest_key, &ring, newer.as_bytes()).to_vec();
        room.try_execute(
            "UPDATE strongroom_manifest SET body = $1, mac = $2",
            vec![newer.into(), mac.into()],
        )
        .unwrap();
        for command in [
            &["keys", "status"][..],
            &["keys", "verify"],
            &["keys", "rotate"],
            &["credential", "create", "--user-id", "u"],
        ] {
            let refused = room.run(&[command, &["--format", "json"]].concat()).expect(4).json();
            assert_eq!(refused["error"]["code"], "database_newer", "{command:?}");
        }
    }
}

#[test]
fn a_key_in_the_environment() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(2));
    let key = fs::read_to_string(room.key_file()).unwrap();
    fs::remove_file(room.key_file()).unwrap();
    let with = |key: Option<&str>| {
        let mut command = room.command(&["keys", "verify", "--format", "json"]);
        command
            .env("STRONGROOM__KEYS__SOURCE", "env")
            .env("STRONGROOM__KEYS__ENV", "MY_ROOT")
            .env_remove("MY_ROOT");
        if let Some(key) = key {
            command.env("MY_ROOT", key);
        }
        ran(&mut command)
    };
    with(Some(key.trim())).expect(0);
    let weak = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (key, code) in
        [(None, "key_missing"), (Some("canary"), "key_malformed"), (Some(weak), "key_weak")]
    {
        let refused = with(key).expect(4);
        assert_eq!(refused.json()["error"]["code"], code);
        assert!(!refused.all().contains("canary"), "{refused:?}");
    }
}

#[test]
fn settings_that_nobody_knows() {
    let room = Room::empty(Engine::Sqlite);
    fs::write(
        room.path().join("strongroom.toml"),
        "[database]\nurl = \"sqlite://x.db\"\ncolour = \"blue\"\n",
    )
    .unwrap();
    let refused = room.run(&["migrate", "status"]).expect(2);
    assert!(refused.err.contains("colour"), "{}", refused.err);
}

#[test]
fn the_example_configuration_is_valid() {
    let room = Room::empty(Engine::Sqlite);
    let example = repository().join("strongroom.example.toml");
    room.run(&["--config", example.to_str().unwrap(), "migrate", "status"]).expect(0);
}

#[test]
fn a_database_that_is_not_there() {
    let room = Room::empty(Engine::Sqlite);
    for url in [
        "postgres://nobody:canary-password@127.0.0.1:1/x",
        "sqlite:///no/such/folder/x.db?mode=rwc",
    ] {
        let ran = ran(room
            .command(&["migrate", "up", "--to", "1"])
            .env("STRONGROOM__DATABASE__URL", url))
        .expect(6);
        assert!(!ran.all().contains("canary"), "{ran:?}");
    }
}

#[test]
fn nonsense_on_the_command_line() {
    let room = Room::empty(Engine::Sqlite);
    room.run(&["migrate", "up", "--to", "nowhere"]).expect(2);
    room.run(&["migrate", "down"]).expect(2);
    let usage = room.run(&["no-such-command", "--format", "json"]).expect(2);
    assert_eq!(usage.json()["error"]["code"], "usage");
}
