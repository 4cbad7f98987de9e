//! Creating, finding, listing and removing credentials.

use crate::support::{Engine, Room, numbered_rows, on_every_engine, run_with_input};

on_every_engine!(
    created_shown_and_deleted,
    secrets_come_exactly_as_they_are,
    lists_page_by_id,
    a_lookup_uses_the_index,
    an_access_key_is_taken_once,
);

fn created_shown_and_deleted(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let made = room.json(&["credential", "create", "--user-id", "u", "--project-id", "p"]);
    let (id, access, secret) = (
        made["id"].as_str().unwrap(),
        made["access"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    assert!(access.len() == 32 && secret.len() == 43, "{made}");
    let hidden = room.json(&["credential", "show", access]);
    assert_eq!((hidden["secret"].is_null(), hidden["project_id"].as_str()), (true, Some("p")));
    assert_eq!(room.json(&["credential", "show", access, "--reveal"]), made);
    assert_eq!(
        run_with_input(
            &room,
            &["credential", "show", "-", "--reveal", "--format", "json"],
            &format!("{access}\n")
        )
        .json(),
        made
    );
    room.run(&["credential", "delete", "--id", id]).expect(0);
    room.run(&["credential", "show", access]).expect(1);
    room.run(&["credential", "delete", access]).expect(1);
}

fn secrets_come_exactly_as_they_are(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    for secret in ["trailing newline\n", "  blanks  ", "żółć 🔐", &"x".repeat(16_384)] {
        let arguments = [
            "credential",
            "create",
            "--user-id",
            "u",
            "--type",
            "totp",
            "--secret-file",
            "-",
            "--format",
            "json",
        ];
        let made = run_with_input(&room, &arguments, secret).expect(0).json();
        assert!(made["access"].is_null());
        let shown =
            room.json(&["credential", "show", "--id", made["id"].as_str().unwrap(), "--reveal"]);
        assert_eq!(shown["secret"], secret);
    }
}

fn lists_page_by_id(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(25));
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let mut arguments = vec!["credential", "list", "--limit", "10"];
        if !after.is_empty() {
            arguments.extend(["--after", after.as_str()]);
        }
        let page = room.json(&arguments);
        let first = page["credentials"][0].as_object().unwrap();
        assert_eq!(
            first.keys().collect::<Vec<_>>(),
            ["created_at", "id", "project_id", "type", "user_id"]
        );
        seen.extend(
            page["credentials"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(seen, numbered_rows(25).into_iter().map(|row| row.id).collect::<Vec<_>>());
    let of_user =
        room.json(&["credential", "list", "--user-id", "user-3", "--project-id", "project-3"]);
    assert_eq!(of_user["credentials"].as_array().unwrap().len(), 1);
    std::fs::remove_file(room.key_file()).unwrap();
    room.run(&["credential", "list"]).expect(0);
    room.run(&["credential", "delete", "--id", "row-000001"]).expect(0);
    room.run(&["credential", "show", "--id", "row-000002"]).expect(4);
}

fn a_lookup_uses_the_index(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2_000));
    let index =
        hex::encode(room.bytes("SELECT access_key_index FROM credential WHERE id = 'row-000777'"));
    let plan = match engine {
        Engine::Sqlite => room
            .query(&format!("EXPLAIN QUERY PLAN SELECT * FROM credential WHERE access_key_index = x'{index}'"), |row| {
                row.try_get::<String>("", "detail").unwrap()
            }),
        Engine::Postgres => room
            .query(&format!("EXPLAIN SELECT * FROM credential WHERE access_key_index = decode('{index}', 'hex')"), |row| {
                row.try_get_by_index::<String>(0).unwrap()
            }),
        Engine::MySql | Engine::MariaDb => room
            .query(&format!("EXPLAIN FORMAT=TRADITIONAL SELECT * FROM credential WHERE access_key_index = x'{index}'"), |row| {
                row.try_get::<Option<String>>("", "key").unwrap().unwrap_or_default()
            }),
    };
    assert!(plan.concat().contains("credential_access_key_index"), "{plan:?}");
}

fn an_access_key_is_taken_once(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let taken = numbered_rows(2)[1].access_key.clone().unwrap();
    let ran = room
        .run(&["credential", "create", "--user-id", "u", "--access", &taken, "--format", "json"])
        .expect(1);
    assert_eq!(ran.json()["error"]["code"], "exists");
    assert!(!ran.all().contains(&taken), "{ran:?}");
}
