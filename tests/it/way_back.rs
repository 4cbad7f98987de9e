//! A way down that cannot end is refused before it drops anything, with all that blocks it.

use std::fs;

use crate::support::{Engine, Room, numbered_rows, on_every_engine};

on_every_engine!(
    a_cell_that_does_not_open_blocks_the_way_before_anything_is_dropped,
    objects_of_others_block_the_way_and_are_named_together,
    a_value_too_long_for_the_adopted_column_blocks_the_way,
    foreign_triggers_keep_rows_from_being_sealed_and_rolled,
);

/// What a way down would drop first.
fn kept(room: &Room) -> [i64; 4] {
    ["strongroom_history", "strongroom_audit_head", "strongroom_policy", "strongroom_key"]
        .map(|table| room.number(&format!("SELECT count(*) FROM {table}")))
}

#[track_caller]
fn require_block(room: &Room, arguments: &[&str], names: &[&str]) {
    let before = kept(room);
    for more in [&["--yes"][..], &["--dry-run"]] {
        let ran = room
            .run(&[&["migrate", "down", "--format", "json"], arguments, more].concat())
            .expect(4);
        let message = ran.json()["error"]["message"].to_string();
        assert_eq!(ran.json()["error"]["code"], "way_blocked", "{message}");
        for name in names {
            assert!(message.contains(name), "{name} is not in: {message}");
        }
        assert_eq!(room.json(&["migrate", "status"])["pending"], 0, "no step was taken back");
        assert_eq!(kept(room), before);
    }
}

fn a_cell_that_does_not_open_blocks_the_way_before_anything_is_dropped(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(8));
    let own = room.bytes("SELECT secret_key_sealed FROM credential WHERE id = 'row-000001'");
    let other = room.bytes("SELECT secret_key_sealed FROM credential WHERE id = 'row-000002'");
    let put = |cell: Vec<u8>| {
        room.try_execute(
            "UPDATE credential SET secret_key_sealed = $1 WHERE id = 'row-000001'",
            vec![cell.into()],
        )
        .unwrap();
    };
    put(other);
    for arguments in [["--to", "0"], ["--to", "5"], ["--steps", "7"]] {
        require_block(&room, &arguments, &["row-000001", "secret_key_sealed"]);
    }
    room.run(&["migrate", "down", "--steps", "1", "--yes"]).expect(0);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    put(own);
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}

fn objects_of_others_block_the_way_and_are_named_together(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    room.execute("CREATE VIEW audit_overview AS SELECT number FROM strongroom_audit");
    room.execute("CREATE VIEW cell_overview AS SELECT secret_key_sealed FROM credential");
    let collation = match engine {
        Engine::MySql => " CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin",
        Engine::MariaDb => " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
        _ => "",
    };
    room.execute(&format!(
        "CREATE TABLE grant_of (credential varchar(64){collation}, CONSTRAINT of_credential FOREIGN KEY (credential) REFERENCES credential (id))"
    ));
    require_block(&room, &["--to", "0"], &["audit_overview", "cell_overview", "grant_of"]);
    require_block(&room, &["--to", "9"], &["audit_overview"]);
    room.execute("DROP VIEW audit_overview");
    room.execute("DROP VIEW cell_overview");
    room.execute("DROP TABLE grant_of");
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}

fn a_value_too_long_for_the_adopted_column_blocks_the_way(engine: Engine) {
    // SQLite's columns take texts of any length.
    if engine == Engine::Sqlite {
        return;
    }
    let room = Room::empty(engine);
    room.execute("CREATE TABLE ec2_keys (id varchar(64) NOT NULL PRIMARY KEY, user_id varchar(64) NOT NULL, access varchar(12), secret varchar(99) NOT NULL)");
    room.execute("INSERT INTO ec2_keys VALUES ('c1', 'u1', 'AKIA', 'secret')");
    let toml = "[adopt]\ntable = \"ec2_keys\"\n[adopt.columns]\naccess_key = \"access\"\nsecret_key = \"secret\"\n";
    fs::write(room.path().join("strongroom.toml"), toml).unwrap();
    room.run(&["migrate", "adopt", "--yes"]).expect(0);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&[
        "credential",
        "create",
        "--user-id",
        "u1",
        "--type",
        "ec2",
        "--access",
        "AKIA-thirteen",
    ])
    .expect(0);
    require_block(&room, &["--to", "0"], &["access_key", "13 characters", "12 characters"]);
    room.run(&["credential", "delete", "AKIA-thirteen", "--yes"]).expect(0);
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    assert_eq!(room.text("SELECT access FROM ec2_keys"), "AKIA");
}

fn foreign_triggers_keep_rows_from_being_sealed_and_rolled(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(2));
    room.execute("CREATE TABLE copies (secret text)");
    room.run(&["migrate", "up", "--to", "3"]).expect(0);
    let make = |value: &str| match engine {
        Engine::Sqlite => {
            room.execute(&format!(
                "CREATE TRIGGER copied AFTER UPDATE ON credential BEGIN INSERT INTO copies VALUES ({value}); END"
            ));
        }
        Engine::Postgres => {
            room.execute(&format!(
                "CREATE FUNCTION copied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO copies VALUES ({value}); RETURN new; END $$"
            ));
            room.execute("CREATE TRIGGER copied AFTER UPDATE ON credential FOR EACH ROW EXECUTE FUNCTION copied()");
        }
        Engine::MySql | Engine::MariaDb => {
            room.execute(&format!(
                "CREATE TRIGGER copied AFTER UPDATE ON credential FOR EACH ROW INSERT INTO copies VALUES ({value})"
            ));
        }
    };
    let drop = || match engine {
        Engine::Postgres => {
            room.execute("DROP TRIGGER copied ON credential");
            room.execute("DROP FUNCTION copied()");
        }
        _ => room.execute("DROP TRIGGER copied"),
    };
    make("old.secret_key");
    room.execute("CREATE VIEW overview AS SELECT access_key FROM credential");
    let refused = |arguments: &[&str]| {
        let ran = room.run(arguments).expect(4);
        assert!(ran.err.contains("`copied`"), "{}", ran.err);
    };
    refused(&["migrate", "up", "--yes"]);
    refused(&["migrate", "up", "--dry-run"]);
    drop();
    assert!(room.run(&["migrate", "up", "--yes"]).expect(4).err.contains("overview"));
    assert_eq!(room.json(&["migrate", "status"])["pending"], 9, "nothing was changed");
    room.execute("DROP VIEW overview");
    room.run(&["migrate", "up", "--to", "8", "--yes"]).expect(0);
    make("old.id");
    refused(&["keys", "rotate"]);
    refused(&["migrate", "down", "--to", "4", "--yes"]);
    assert_eq!(room.number("SELECT count(*) FROM copies"), 0, "no trigger ran");
    drop();
    room.run(&["keys", "rotate"]).expect(0);
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}
