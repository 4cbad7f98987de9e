//! Taking over a plaintext table that was there before, and giving it back.

use std::fs;

use crate::support::{Engine, Room, numbered_rows, on_every_engine};

on_every_engine!(
    a_table_of_this_shape_is_taken_over_and_given_back,
    a_table_with_other_names_is_taken_over_and_given_back,
    a_table_that_does_not_fit_is_refused_with_the_reason,
    an_altered_record_of_the_adoption_is_refused_before_anything_changes,
);

fn on_mysql(engine: Engine) -> bool {
    matches!(engine, Engine::MySql | Engine::MariaDb)
}

/// As a control plane may have made it: on MySQL with a collation that takes `Secret` for `sECRET`.
fn make_credential(room: &Room) {
    let (time, tail) = match room.engine {
        Engine::Postgres => ("timestamptz NOT NULL DEFAULT now()", ""),
        Engine::Sqlite => ("timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP", ""),
        _ => (
            "datetime NOT NULL DEFAULT CURRENT_TIMESTAMP",
            "CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci",
        ),
    };
    room.execute(&format!(
        "CREATE TABLE credential (id varchar(64) NOT NULL PRIMARY KEY, user_id varchar(64) NOT NULL, project_id varchar(64), \
         type varchar(255) NOT NULL, access_key varchar(255) UNIQUE, secret_key text NOT NULL, extra text, created_at {time}) {tail}"
    ));
}

fn a_table_of_this_shape_is_taken_over_and_given_back(engine: Engine) {
    let room = Room::empty(engine);
    make_credential(&room);
    let mut rows = numbered_rows(30);
    room.insert_plaintext(&rows);
    room.run(&["migrate", "up", "--yes"]).expect(4);
    let would = room.json(&["migrate", "adopt", "--dry-run"]);
    assert_eq!((would["rows"].as_u64(), would["adopted"].as_bool()), (Some(30), Some(false)));
    assert_eq!(
        would["sql"].as_str().unwrap().contains("MODIFY COLUMN"),
        on_mysql(engine),
        "{would}"
    );
    room.run(&["migrate", "adopt"]).expect(4);
    room.run(&["migrate", "adopt", "--yes"]).expect(0);
    room.run(&["migrate", "adopt", "--yes"]).expect(4);
    assert_eq!(room.json(&["migrate", "status"])["pending"], 11);

    // A change of case alone, by a program that knows only plaintext, while cells are there.
    room.run(&["migrate", "up", "--to", "4"]).expect(0);
    rows[3].secret_key = rows[3].secret_key.to_uppercase();
    room.execute(&format!(
        "UPDATE credential SET secret_key = '{}' WHERE id = '{}'",
        rows[3].secret_key, rows[3].id
    ));
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
    assert_eq!(
        room.json(&["credential", "show", "--id", &rows[3].id, "--reveal"])["secret"],
        rows[3].secret_key
    );
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(room.plaintext(), rows);

    let plan = room.json(&["migrate", "plan", "--to", "0"]);
    assert!(!plan.to_string().contains("DROP TABLE credential"), "{plan}");
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    assert_eq!(room.plaintext(), rows);
    assert_eq!(
        room.json(&["migrate", "adopt", "--dry-run"])["sql"],
        would["sql"],
        "it is as it was"
    );
    room.run(&["migrate", "up", "--yes"]).expect(4);
}

fn a_table_with_other_names_is_taken_over_and_given_back(engine: Engine) {
    let room = Room::empty(engine);
    room.execute("CREATE TABLE ec2_keys (uuid varchar(36) NOT NULL PRIMARY KEY, owner varchar(64) NOT NULL, access varchar(32), secret varchar(255) NOT NULL)");
    for n in 0..20 {
        room.execute(&format!(
            "INSERT INTO ec2_keys VALUES ('key-{n}', 'owner-{}', 'AK{n}', 'secret-value-{n}')",
            n % 3
        ));
    }
    let toml = "[adopt]\ntable = \"ec2_keys\"\n[adopt.columns]\nid = \"uuid\"\nuser_id = \"owner\"\naccess_key = \"access\"\nsecret_key = \"secret\"\n";
    fs::write(room.path().join("strongroom.toml"), toml).unwrap();
    let done = room.json(&["migrate", "adopt", "--yes"]);
    assert_eq!(done["added"], serde_json::json!(["project_id", "type", "extra", "created_at"]));
    // From here on the database itself knows.
    fs::remove_file(room.path().join("strongroom.toml")).unwrap();
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "rotate"]).expect(0);
    let shown = room.json(&["credential", "show", "AK7", "--reveal"]);
    assert_eq!(
        (shown["id"].as_str(), shown["type"].as_str(), shown["secret"].as_str()),
        (Some("key-7"), Some("ec2"), Some("secret-value-7"))
    );
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    let rows = room.query("SELECT * FROM ec2_keys ORDER BY uuid", |row| {
        let text = |n: usize| row.try_get_by_index::<String>(n).unwrap();
        [text(0), text(1)].concat()
            + &["access", "secret"].map(|name| row.try_get::<String>("", name).unwrap()).concat()
    });
    assert_eq!((rows.len(), rows[1].as_str()), (20, "key-1owner-1AK1secret-value-1"));
    room.run(&["migrate", "up", "--yes"]).expect(0);
    assert!(
        room.json(&["migrate", "plan", "--to", "0"]).to_string().contains("DROP TABLE credential"),
        "a table of our own"
    );
}

fn a_table_that_does_not_fit_is_refused_with_the_reason(engine: Engine) {
    let room = Room::empty(engine);
    let refused = |expected: &str| {
        let error =
            room.run(&["migrate", "adopt", "--yes", "--format", "json"]).expect(4).json()["error"]
                ["message"]
                .to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(room.json(&["migrate", "status"])["migrations"][0]["applied"], false);
    };
    make_credential(&room);
    room.execute("ALTER TABLE credential ADD COLUMN access_key_index integer");
    room.run(&["migrate", "adopt", "--yes"]).expect(4);
    assert!(room.run(&["migrate", "status"]).expect(4).err.contains("adopt"));
    let unfit = room.run(&["migrate", "adopt", "--yes"]).expect(4);
    assert!(unfit.err.contains("`access_key_index`"), "{}", unfit.err);
    room.execute("DROP TABLE credential");

    room.execute("CREATE TABLE keys_ (id integer NOT NULL PRIMARY KEY, user_id varchar(64), secret_key text NOT NULL, access_key varchar(9))");
    fs::write(room.path().join("strongroom.toml"), "[adopt]\ntable = \"keys_\"\n").unwrap();
    refused("must be text");
    room.execute("DROP TABLE keys_");
    room.execute("CREATE TABLE keys_ (id varchar(64) NOT NULL PRIMARY KEY, user_id varchar(64), secret_key varchar(99) NOT NULL, access_key varchar(9))");
    room.execute("INSERT INTO keys_ VALUES ('a', 'u', 's', 'same'), ('b', 'u', 's', 'same'), ('c', NULL, 's', NULL)");
    refused("1 rows have no `user_id`");
    room.execute("DELETE FROM keys_ WHERE id = 'c'");
    refused("2 rows share their `access_key`");
    room.execute("DELETE FROM keys_ WHERE id = 'b'");
    fs::write(
        room.path().join("strongroom.toml"),
        "[adopt]\ntable = \"keys_\"\n[adopt.columns]\nextra = \"more\"\n",
    )
    .unwrap();
    refused("no column `more`");
    fs::write(room.path().join("strongroom.toml"), "[adopt]\ntable = \"keys_; DROP TABLE x\"\n")
        .unwrap();
    refused("not a plain name");
    fs::write(room.path().join("strongroom.toml"), "[adopt]\ntable = \"nothing\"\n").unwrap();
    room.run(&["migrate", "adopt", "--yes"]).expect(1);
    fs::write(room.path().join("strongroom.toml"), "[adopt.columns]\ncolour = \"blue\"\n").unwrap();
    room.run(&["migrate", "adopt", "--yes"]).expect(2);
}

/// The record holds SQL that the way back runs, and stands in a table that others may write.
fn an_altered_record_of_the_adoption_is_refused_before_anything_changes(engine: Engine) {
    let room = Room::empty(engine);
    make_credential(&room);
    room.insert_plaintext(&numbered_rows(3));
    room.run(&["migrate", "adopt", "--yes"]).expect(0);
    room.run(&["migrate", "up", "--to", "8", "--yes"]).expect(0);
    let body = room.text("SELECT body FROM strongroom_adoption WHERE id = 1");
    let write = |body: &str| {
        room.execute("DELETE FROM strongroom_adoption");
        room.try_execute(
            "INSERT INTO strongroom_adoption (id, body) VALUES (1, $1)",
            vec![body.into()],
        )
        .unwrap();
    };
    let planted =
        body.replacen("\"attach\":[", "\"attach\":[\"DROP TABLE strongroom_history\",", 1);
    assert_ne!(planted, body);
    let cells = room.query_cells();
    for altered in [Some(planted.as_str()), None] {
        match altered {
            Some(altered) => write(altered),
            None => room.execute("DELETE FROM strongroom_adoption"),
        }
        for arguments in [&["--dry-run"][..], &[]] {
            let down = ["migrate", "down", "--to", "0", "--yes", "--format", "json"];
            let refused = room.run(&[&down, arguments].concat()).expect(4).json();
            assert_eq!(refused["error"]["code"], "adoption_altered", "{refused}");
        }
        assert_eq!(room.query_cells(), cells, "nothing was changed");
    }
    write(&body);
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}
