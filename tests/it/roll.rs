//! Rolling keys.

use crate::support::{Engine, Room, numbered_rows, on_every_engine};

on_every_engine!(
    generations_grow_and_lead_back,
    an_empty_table_rolls_too,
    history_tells_what_was_done
);

fn active(room: &Room) -> u64 {
    let status = room.json(&["keys", "status"]);
    let generations = status["generations"].as_array().unwrap().clone();
    generations.iter().find(|line| line["state"] == "active").unwrap()["generation"]
        .as_u64()
        .unwrap()
}

fn generations_grow_and_lead_back(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(30));
    room.run(&["keys", "rotate", "--back"]).expect(4);
    room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(active(&room), 2);
    room.run(&["keys", "rotate", "--back"]).expect(0);
    assert_eq!(active(&room), 1);
    room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(active(&room), 3);
    room.run(&["keys", "status", "--check"]).expect(0);
    let ids = room.number("SELECT count(DISTINCT id) FROM strongroom_key");
    assert_eq!(ids, room.number("SELECT count(*) FROM strongroom_key"));
    // Three generations of ten scopes and the rows without a project, the index key, the manifest key.
    assert_eq!(
        room.number(
            "SELECT count(*) FROM strongroom_key WHERE purpose = 'data' AND generation = 3"
        ),
        12
    );
}

fn an_empty_table_rolls_too(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    assert_eq!(room.json(&["keys", "rotate"])["generation"], 2);
    assert_eq!(room.json(&["keys", "verify"])["checked"], 0);
}

fn history_tells_what_was_done(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    room.run(&["keys", "rotate"]).expect(0);
    room.run(&["keys", "rotate", "--back"]).expect(0);
    room.run(&["migrate", "down", "--steps", "3", "--yes"]).expect(0);
    let sql = "SELECT name, direction, finished_at IS NOT NULL AS finished FROM strongroom_history ORDER BY id";
    let history = room.query(sql, |row| {
        let (name, direction): (String, String) =
            (row.try_get("", "name").unwrap(), row.try_get("", "direction").unwrap());
        let finished: bool = row.try_get("", "finished").unwrap();
        format!("{direction} {name}{}", if finished { "" } else { " (unfinished)" })
    });
    assert_eq!(
        history,
        [
            "up create_credential",
            "up create_key_ring",
            "up add_sealed_columns",
            "up seal_credential",
            "up require_sealed",
            "up drop_plaintext",
            "up scrub_free_space",
            "up create_policy",
            "up policy_1",
            "up create_audit",
            "up policy_2",
            "up carry_lineage",
            "up roll to generation 2",
            "down roll to generation 1",
            "down carry_lineage",
            "down policy_2",
            "down create_audit",
        ]
    );
    assert_eq!(
        room.number("SELECT count(*) FROM strongroom_migrations"),
        9,
        "sea-orm's own table agrees"
    );
}
