//! Guards that somebody dropped or switched off: noticed, and made again by the next `migrate up`.

use serde_json::{Value, json};

use crate::support::{Engine, Room, numbered_rows, on_every_engine};

on_every_engine!(
    dropped_guard_is_noticed_and_made_again,
    guard_is_not_made_again_over_a_row_that_it_would_refuse,
);

const GUARD: &str = "strongroom_4_bound_update_credential";
const MOVE: &str = "UPDATE credential SET user_id = 'mallory' WHERE id = 'row-000001'";

fn dropped_guard_is_noticed_and_made_again(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    assert_eq!(guards(&room.run(&["doctor", "--format", "json"]).expect(0).json())["state"], "ok");
    room.drop_bound_guards();
    assert_noticed(&room);
    assert_eq!(room.json(&["migrate", "up"])["guards"], json!([GUARD]));
    assert_stands(&room);
    let history = room.run(&["migrate", "history"]).expect(0).out;
    assert!(history.contains("guards of credential"), "{history}");
    assert_eq!(room.run(&["migrate", "up"]).expect(0).out, "nothing to do\n");
    if engine == Engine::Postgres {
        room.execute(&format!("ALTER TABLE credential DISABLE TRIGGER {GUARD}"));
        assert_noticed(&room);
        room.run(&["migrate", "up"]).expect(0);
        assert_stands(&room);
    }
    room.run(&["keys", "verify"]).expect(0);
}

/// What came in while the guard was gone is named, and the guard waits for somebody to look at it.
fn guard_is_not_made_again_over_a_row_that_it_would_refuse(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    room.drop_bound_guards();
    room.execute("UPDATE credential SET access_key_index = NULL WHERE id = 'row-000001'");
    let refused = room.run(&["migrate", "up", "--format", "json"]).expect(4).json();
    assert_eq!(refused["error"]["code"], "unsealable", "{refused}");
    assert_noticed(&room);
    room.execute("DELETE FROM credential WHERE id = 'row-000001'");
    room.run(&["migrate", "up"]).expect(0);
    room.json(&["doctor"]);
}

#[track_caller]
fn assert_noticed(room: &Room) {
    let found = room.run(&["doctor", "--format", "json"]).expect(3).json();
    let found = guards(&found);
    assert_eq!(found["code"], "guards_gone", "{found}");
    assert!(found["message"].as_str().unwrap().contains(GUARD), "{found}");
}

#[track_caller]
fn assert_stands(room: &Room) {
    assert!(room.try_execute(MOVE, Vec::new()).is_err(), "the guard lets a row move away");
    assert_eq!(guards(&room.run(&["doctor", "--format", "json"]).expect(0).json())["state"], "ok");
}

fn guards(doctor: &Value) -> Value {
    let checks = doctor["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == "guards").cloned().unwrap_or_default()
}
