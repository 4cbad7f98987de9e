//! The operator's tools: plan, history, unlock, quarantine.

use crate::support::{Engine, Room, numbered_rows, on_every_engine, until};

on_every_engine!(
    a_plan_shows_the_sql_and_does_nothing,
    history_is_shown,
    a_lock_is_taken_from_a_holder_that_hangs,
    quarantined_rows_are_listed_exported_and_discarded,
    a_value_that_cannot_be_sealed_is_named_and_holds_up_nothing_else,
);

#[test]
fn completions_know_every_command() {
    let room = Room::empty(Engine::Sqlite);
    for shell in ["bash", "zsh", "fish"] {
        let script = room.run(&["completions", shell]).expect(0).out;
        assert!(
            ["migrate", "quarantine", "keystone"].iter().all(|command| script.contains(command)),
            "{shell}"
        );
    }
    room.run(&["completions", "no-such-shell"]).expect(2);
}

fn a_plan_shows_the_sql_and_does_nothing(engine: Engine) {
    let room = Room::empty(engine);
    std::fs::remove_file(room.key_file()).unwrap();
    let steps = |arguments: &[&str]| room.json(arguments)["would_run"].as_array().unwrap().clone();
    let empty = steps(&["migrate", "plan"]);
    assert_eq!(empty.len(), 12);
    assert!(empty[0]["sql"][0].as_str().unwrap().contains("CREATE TABLE credential"), "{empty:?}");
    assert_eq!(room.json(&["migrate", "status"])["pending"], 12);

    let room = Room::with_plaintext(engine, &numbered_rows(3));
    room.run(&["migrate", "up", "--to", "4"]).expect(0);
    let half_way = room.json(&["migrate", "plan"]);
    assert_eq!(
        (half_way["rows"].as_u64(), half_way["would_run"].as_array().unwrap().len()),
        (Some(3), 8)
    );
    let down = room.json(&["migrate", "plan", "--to", "1"]);
    let names: Vec<_> = down["would_run"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["seal_credential", "add_sealed_columns", "create_key_ring"]);
    assert_eq!(down["would_run"][0]["direction"], "down");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    assert!(room.run(&["migrate", "plan"]).expect(0).out.contains("nothing to do"));
}

fn history_is_shown(engine: Engine) {
    let room = Room::empty(engine);
    assert_eq!(room.json(&["migrate", "history"])["history"].as_array().unwrap().len(), 0);
    room.run(&["migrate", "up", "--to", "2"]).expect(0);
    let history = room.json(&["migrate", "history"]);
    assert_eq!(history["history"][1]["name"], "create_key_ring");
    assert!(history["history"][1]["finished_at"].is_string(), "{history}");
    assert_eq!(room.run(&["migrate", "history"]).expect(0).out.lines().count(), 2);
}

/// Stopped, not dead: its lease runs, and nobody can say that it will not wake up.
fn a_lock_is_taken_from_a_holder_that_hangs(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(500));
    let running = room.start(&["keys", "rotate", "--batch-size", "10", "--batch-delay", "100"]);
    until("some rows", || {
        room.number("SELECT coalesce(max(moved), 0) FROM strongroom_reseal WHERE finished = FALSE")
            > 20
    });
    let status = room.json(&["migrate", "status"]);
    let holder = status["lock"]["holder"].as_str().unwrap().to_owned();
    room.run(&["migrate", "unlock", "--holder", "somebody-else"]).expect(1);
    room.run(&["migrate", "unlock", "--holder", &holder]).expect(4);
    room.run(&["migrate", "unlock", "--holder", &holder, "--yes"]).expect(0);
    // The old holder can commit nothing any more, and the next run finishes its work.
    running.finish().expect(5);
    let done = room.run(&["keys", "rotate", "--format", "json"]).expect(0).json();
    assert_eq!((done["generation"].as_u64(), done["rows"].as_u64()), (Some(2), Some(500)));
    assert!(room.json(&["migrate", "status"])["lock"].is_null());
}

fn quarantined_rows_are_listed_exported_and_discarded(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(10));
    room.tamper(
        "UPDATE credential SET user_id = 'mallory' WHERE id IN ('row-000003', 'row-000004')",
    );
    room.run(&["keys", "rotate"]).expect(3);
    let listed = room.json(&["keys", "quarantine", "list"]);
    assert_eq!(listed["quarantined"].as_array().unwrap().len(), 4);
    room.execute("UPDATE credential SET user_id = 'user-4' WHERE id = 'row-000004'");

    // What is exported opens with the script, once the owner is put right.
    let exported = room.json(&["keys", "quarantine", "export"]);
    let cells = exported["quarantined"].as_array().unwrap().iter();
    let mut document = cells
        .clone()
        .find(|bad| bad["id"] == "row-000003" && bad["column"] == "secret_key_sealed")
        .unwrap()["sealed"]
        .clone();
    assert_eq!(crate::break_glass::open_document(&room, &document).code, 1);
    document["owners"]["user_id"] = "user-3".into();
    assert_eq!(
        crate::break_glass::open_document(&room, &document).expect(0).out,
        numbered_rows(10)[3].secret_key
    );

    room.run(&["keys", "quarantine", "discard", "--id", "row-000001", "--yes"]).expect(1);
    room.run(&["keys", "quarantine", "discard", "--id", "row-000003"]).expect(4);
    let gone = room
        .run(&["keys", "quarantine", "discard", "--id", "row-000003", "--yes", "--format", "json"])
        .expect(0)
        .json();
    let stays = room
        .run(&["keys", "quarantine", "discard", "--id", "row-000004", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(
        (gone["discarded"].as_bool(), stays["discarded"].as_bool()),
        (Some(true), Some(false))
    );
    assert_eq!(room.number("SELECT count(*) FROM credential"), 9);
    room.run(&["keys", "rotate"]).expect(0);
}

fn a_value_that_cannot_be_sealed_is_named_and_holds_up_nothing_else(engine: Engine) {
    let mut rows = numbered_rows(20);
    rows[7].secret_key = "x".repeat((1 << 20) + 1);
    let room = Room::with_plaintext(engine, &rows[..7]);
    if matches!(engine, Engine::MySql | Engine::MariaDb) {
        room.execute("ALTER TABLE credential MODIFY secret_key mediumtext NOT NULL");
    }
    room.insert_plaintext(&rows[7..]);
    let ran = room.run(&["migrate", "up", "--to", "4", "--format", "json"]).expect(3);
    assert_eq!(ran.json()["error"]["code"], "left_behind");
    let exported = room.json(&["keys", "quarantine", "export"]);
    assert_eq!(exported["quarantined"][0]["id"], "row-000007");
    assert_eq!(exported["quarantined"][0]["reason"], "cannot_be_sealed");
    let verified = room.run(&["keys", "verify", "--format", "json"]).expect(3).json();
    assert_eq!(verified["failed"][0]["reason"], "cannot_be_sealed");
    room.run(&["keys", "quarantine", "discard", "--id", "row-000007", "--yes"]).expect(4);
    assert_eq!(room.plaintext(), rows);
    room.execute("UPDATE credential SET secret_key = 'shorter' WHERE id = 'row-000007'");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    assert_eq!(
        room.json(&["credential", "show", "--id", "row-000007", "--reveal"])["secret"],
        "shorter"
    );
}
