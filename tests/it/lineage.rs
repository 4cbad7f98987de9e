//! A database that lost its last commits in a failover, and went on: what was acknowledged afterwards opens.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use strongroom::credential::{Filter, NewCredential, Store};
use strongroom::db::{Access, Address, connect};
use strongroom::key::{EpochFloor, EpochMemory, FileSource, KeySource as _, Roots};

use crate::support::{Engine, Ran, Room, block_on, numbered_rows, on_every_engine, ran, until};

on_every_engine!(service_seals_under_no_key_of_a_lost_roll, lineage_is_carried_from_step_12_on,);

/// The tables that a failover takes back, keys before the cells under them.
const TABLES: [&str; 3] = ["strongroom_manifest", "strongroom_key", "credential"];

/// Keeps what the database holds now, under a name.
fn keep(room: &Room, name: &str) {
    for table in TABLES {
        room.execute(&format!("CREATE TABLE {name}_{table} AS SELECT * FROM {table}"));
    }
}

/// Puts it back, in one transaction, as a standby that is promoted shows it.
fn go_back(room: &Room, name: &str) {
    let emptied = TABLES.iter().rev().map(|table| format!("DELETE FROM {table}"));
    let filled =
        TABLES.iter().map(|table| format!("INSERT INTO {table} SELECT * FROM {name}_{table}"));
    room.in_one_transaction(&emptied.chain(filled).collect::<Vec<_>>());
}

/// As another host runs a command: with a memory of its own.
fn elsewhere(room: &Room, arguments: &[&str]) -> Ran {
    let mut command = room.command(arguments);
    ran(command.env("STRONGROOM__KEYS__EPOCH_FILE", room.path().join("elsewhere.epoch")))
}

fn service_seals_under_no_key_of_a_lost_roll(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(5));
    let service = room.serve("");
    let api = service.caller("api");
    let create = || {
        let new = json!({ "user_id": "u", "project_id": "p", "type": "ec2" });
        api.post("/v1/credentials", &new).status
    };
    assert_eq!(create(), 201);
    keep(&room, "before");
    room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(create(), 201);
    go_back(&room, "before");
    until("the service notices", || create() == 503);
    // The same roll once more, by a host that saw nothing: the epochs and generations of before come again.
    elsewhere(&room, &["keys", "rotate"]).expect(0);
    for _ in 0..5 {
        assert_eq!(create(), 503, "the manifest is no successor of the one that the service saw");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let readyz = api.get("/readyz");
    assert!(readyz.status == 503 && readyz.text.contains("ring_went_back"), "{}", readyz.text);
    let error = room.run(&["keys", "verify", "--format", "json"]).expect(4).json()["error"].clone();
    let epoch = room.number("SELECT epoch FROM strongroom_manifest").to_string();
    assert_eq!(error["code"], "ring_went_back", "{error}");
    let help = error["help"].as_str().unwrap();
    assert!(help.contains(&format!("keys accept-epoch {epoch}`")), "{help}");
    let doctor = room.run(&["doctor", "--format", "json"]).expect(3).out;
    assert!(doctor.contains("does not descend from"), "{doctor}");
    room.run(&["keys", "accept-epoch", &epoch]).expect(0);
    until("the service goes on without a restart", || create() == 201);
    service.stop();
    room.run(&["keys", "verify"]).expect(0);
}

fn lineage_is_carried_from_step_12_on(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let marks = || room.text("SELECT body FROM strongroom_manifest").contains("\"lineage\":");
    assert!(marks());
    room.run(&["migrate", "down", "--to", "11", "--yes"]).expect(0);
    assert!(!marks());
    room.run(&["keys", "verify"]).expect(0);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    assert!(marks());
    room.run(&["keys", "verify"]).expect(0);
}

/// What happens to a database and its programs.
#[derive(Debug, Clone)]
enum Event {
    /// A program stores a credential of a project.
    Store { program: usize, project: usize },
    /// Somebody rolls the keys.
    Roll,
    /// A backup, or a standby that lags from here on.
    Keep,
    /// A failover to the last kept state.
    GoBack,
    /// A program begins anew.
    Restart { program: usize },
    /// The operator accepts, on the host of the first program.
    Accept,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => (0..3_usize, 0..2_usize).prop_map(|(program, project)| Event::Store { program, project }),
        2 => Just(Event::Roll),
        2 => Just(Event::Keep),
        3 => Just(Event::GoBack),
        1 => (0..3_usize).prop_map(|program| Event::Restart { program }),
        1 => Just(Event::Accept),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 100, ..ProptestConfig::default() })]

    /// Whatever happens, no cell is under a key that is not there, and what was acknowledged since opens.
    #[test]
    fn acknowledged_credentials_open_after_any_sequence_of_failovers(
        events in prop::collection::vec(event(), 4..16),
    ) {
        let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
        let mut programs: Vec<_> = (0..3).map(|program| store(&room, program)).collect();
        let (mut kept, mut acknowledged) = (0, BTreeMap::new());
        let mut at_keep = BTreeMap::new();
        for (n, event) in events.iter().enumerate() {
            match event {
                Event::Store { program, project } => {
                    let new = credential(n, *project);
                    if block_on(programs[*program].create(&new)).is_ok() {
                        acknowledged.insert(new.id.clone(), new.secret.to_string());
                    }
                }
                Event::Roll => drop(elsewhere(&room, &["keys", "rotate"])),
                Event::Keep => {
                    kept += 1;
                    keep(&room, &format!("kept{kept}"));
                    at_keep = acknowledged.clone();
                }
                Event::GoBack if kept > 0 => {
                    go_back(&room, &format!("kept{kept}"));
                    acknowledged = at_keep.clone();
                    accept(&room, elsewhere);
                }
                Event::GoBack => {}
                Event::Restart { program } => programs[*program] = store(&room, *program),
                Event::Accept => accept(&room, Room::run),
            }
        }
        let after = store(&room, 2);
        for (id, secret) in &acknowledged {
            let found = block_on(after.find_by_id(id, true)).unwrap().secret;
            prop_assert_eq!(found.as_deref(), Some(secret));
        }
        let verified = elsewhere(&room, &["keys", "verify", "--format", "json"]).expect(0).json();
        prop_assert_eq!(&verified["failed"], &json!([]));
        let stored = block_on(after.list(&Filter::default(), 100)).unwrap().credentials.len();
        prop_assert_eq!(stored, acknowledged.len() + 1);
    }
}

fn accept(room: &Room, run: impl Fn(&Room, &[&str]) -> Ran) {
    let epoch = room.number("SELECT epoch FROM strongroom_manifest").to_string();
    run(room, &["keys", "accept-epoch", &epoch]).expect(0);
}

/// The first program remembers on its host, the second on another, and the third not at all.
fn store(room: &Room, program: usize) -> Store {
    block_on(async {
        let address = Address::parse(room.url()).unwrap();
        let roots = Roots::from(FileSource::new(room.key_file()).root().await.unwrap());
        let file = ["strongroom.key.epoch", "other.epoch"].get(program);
        let floor = file.map_or_else(EpochFloor::default, |file| {
            EpochFloor::default()
                .with_memory(EpochMemory::new(room.path().join(file), address.to_string()))
        });
        let db = connect(&address, Access::Write).await.unwrap();
        Store::new(db, Some(Arc::new(roots)), floor)
    })
}

fn credential(n: usize, project: usize) -> NewCredential {
    let mut new = NewCredential::make("user", "ec2").unwrap();
    new.project_id = Some(format!("late-project-{project}"));
    new.secret = format!("secret of {n}").into();
    new
}
