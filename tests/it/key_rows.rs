//! Rows of keys that are no keys: planted, damaged, under a number that leaves none.

use crate::support::{Engine, Ran, Room, numbered_rows, on_every_engine};

on_every_engine!(
    key_row_under_the_last_number_is_named_and_keeps_nobody_from_sealing,
    squatted_key_is_named_and_its_project_seals_again_once_it_is_removed,
    key_row_that_cells_name_is_not_discarded,
);

fn plant(room: &Room, id: i64, scope: &str, generation: i32) {
    let plant = "INSERT INTO strongroom_key (id, purpose, scope, generation, wrapped) VALUES ($1, 'data', $2, $3, $4)";
    room.try_execute(
        plant,
        vec![id.into(), scope.into(), generation.into(), vec![7_u8; 120].into()],
    )
    .unwrap();
}

fn create(room: &Room, project: &str) -> Ran {
    room.run(&[
        "credential",
        "create",
        "--user-id",
        "u",
        "--project-id",
        project,
        "--format",
        "json",
    ])
}

/// Where `keys verify` finds nothing but this row.
#[track_caller]
fn is_named(room: &Room, id: i64) {
    let verified = room.run(&["keys", "verify", "--format", "json"]).expect(3).json();
    let failed = verified["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{verified}");
    assert_eq!(
        (&failed[0]["table"], &failed[0]["id"]),
        (&"strongroom_key".into(), &id.to_string().into()),
        "{verified}"
    );
    assert!(
        room.run(&["keys", "verify"])
            .expect(3)
            .err
            .contains(&format!("discard-key --yes --id {id}"))
    );
}

fn discard(room: &Room, id: i64) {
    room.run(&["keys", "discard-key", "--id", &id.to_string()]).expect(4);
    room.run(&["keys", "discard-key", "--yes", "--id", &id.to_string()]).expect(0);
    room.run(&["keys", "discard-key", "--yes", "--id", &id.to_string()]).expect(1);
    room.run(&["keys", "verify"]).expect(0);
}

fn key_row_under_the_last_number_is_named_and_keeps_nobody_from_sealing(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    for id in [4_294_967_294, 4_294_967_295] {
        plant(&room, id, "planted", 1);
        create(&room, "new project").expect(0);
        room.run(&["keys", "rotate"]).expect(0);
        is_named(&room, id);
        discard(&room, id);
    }
    room.run(&["keys", "discard-key", "--yes", "--id", "1"]).expect(4);
    room.run(&["keys", "discard-key", "--yes", "--id", "-1"]).expect(1);
}

fn squatted_key_is_named_and_its_project_seals_again_once_it_is_removed(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(30));
    plant(&room, 70_000, "project:project of mine", 1);
    plant(&room, 70_001, "project:tenant", 2);
    let verified = room.run(&["keys", "verify", "--format", "json"]).expect(3).json();
    assert_eq!(verified["failed"].as_array().unwrap().len(), 2, "{verified}");
    assert_ne!(create(&room, "project of mine").code, 0);
    create(&room, "tenant").expect(0);
    create(&room, "another").expect(0);
    let rotated = room.run(&["keys", "rotate"]).expect(3);
    assert!(rotated.all().contains("keys verify"), "{rotated:?}");
    room.run(&["keys", "discard-key", "--yes", "--id", "70000"]).expect(0);
    is_named(&room, 70_001);
    discard(&room, 70_001);
    create(&room, "project of mine").expect(0);
    room.run(&["keys", "rotate"]).expect(0);
    let status = room.json(&["keys", "status"]);
    let active = status["generations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["state"] == "active")
        .unwrap()
        .clone();
    assert_eq!(active["cells"], status["cells"]["total"], "{status}");
}

/// A damaged key: its cells need it back.
fn key_row_that_cells_name_is_not_discarded(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let id = room.number("SELECT max(id) FROM strongroom_key");
    let kept = room.bytes(&format!("SELECT wrapped FROM strongroom_key WHERE id = {id}"));
    for damaged in [vec![7_u8; 120], Vec::new()] {
        room.try_execute(
            &format!("UPDATE strongroom_key SET wrapped = $1 WHERE id = {id}"),
            vec![damaged.into()],
        )
        .unwrap();
        let refused = room
            .run(&["keys", "discard-key", "--yes", "--format", "json", "--id", &id.to_string()])
            .expect(4)
            .json();
        assert_eq!(refused["error"]["code"], "key_in_use", "{refused}");
        let verified = room.run(&["keys", "verify", "--format", "json"]).expect(3).json();
        let named = verified["failed"]
            .as_array()
            .unwrap()
            .iter()
            .any(|bad| bad["table"] == "strongroom_key");
        assert!(named, "{verified}");
    }
    room.try_execute(
        &format!("UPDATE strongroom_key SET wrapped = $1 WHERE id = {id}"),
        vec![kept.into()],
    )
    .unwrap();
    room.run(&["keys", "verify"]).expect(0);
    let refused = room
        .run(&["keys", "discard-key", "--yes", "--format", "json", "--id", &id.to_string()])
        .expect(4)
        .json();
    assert_eq!(refused["error"]["code"], "key_unwraps");
}

/// A table without the check takes any number.
#[test]
fn key_row_under_a_number_that_no_key_has_is_named() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(3));
    room.execute("PRAGMA ignore_check_constraints = ON");
    for (id, generation) in [
        (-7, 1),
        (0, 1),
        (4_294_967_296, 1),
        (i64::MAX, 1),
        (i64::MIN, 1),
        (900, -1),
        (5000, i32::MAX),
    ] {
        let sql = format!(
            "PRAGMA ignore_check_constraints = ON; INSERT INTO strongroom_key (id, purpose, scope, generation, wrapped) \
             VALUES ({id}, 'data', 'planted', {generation}, x'00')"
        );
        room.execute(&sql);
        is_named(&room, id);
        create(&room, &format!("project {id}")).expect(0);
        discard(&room, id);
    }
}
