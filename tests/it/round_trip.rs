//! Plaintext to sealed, rolled forward and back, and to the very same plaintext again.

use base64::Engine as _;

use crate::support::{Engine, Room, nasty_rows, on_every_engine};

on_every_engine!(
    sealed_rolled_and_back_to_the_same_rows,
    nothing_stored_holds_a_secret,
    every_step_goes_back_and_forth,
    a_way_down_that_is_given_up_leads_up_again,
);

fn sealed_rolled_and_back_to_the_same_rows(engine: Engine) {
    let rows = nasty_rows();
    let room = Room::with_plaintext(engine, &rows);
    let written = room.plaintext();
    assert_eq!(written, rows);
    let cells = (rows.len() * 2 - 1) as u64;

    room.run(&["migrate", "up", "--yes"]).expect(0);
    assert_eq!(room.json(&["keys", "status"])["cells"]["sealed"], cells);
    for row in &rows {
        let shown = room.json(&["credential", "show", "--id", &row.id, "--reveal"]);
        assert_eq!(shown["secret"], row.secret_key);
        assert_eq!(shown["access"], serde_json::json!(row.access_key));
        if let Some(access) = row.access_key.as_deref().filter(|access| !access.is_empty()) {
            assert_eq!(room.json(&["credential", "show", access])["id"], row.id);
        }
    }

    let rolled = room.json(&["keys", "rotate"]);
    assert_eq!(rolled["generation"], 2);
    assert_eq!(cells_by_generation(&room), [(1, 0), (2, cells)]);
    let back = room.json(&["keys", "rotate", "--back"]);
    assert_eq!(back["generation"], 1);
    assert_eq!(cells_by_generation(&room), [(1, cells), (2, 0)]);
    room.run(&["keys", "verify"]).expect(0);

    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(room.plaintext(), rows);
    assert_eq!(room.number("SELECT count(*) FROM credential"), rows.len() as i64);
}

fn cells_by_generation(room: &Room) -> Vec<(u64, u64)> {
    let status = room.json(&["keys", "status"]);
    let generations = status["generations"].as_array().unwrap().iter();
    generations
        .map(|line| (line["generation"].as_u64().unwrap(), line["cells"].as_u64().unwrap()))
        .collect()
}

fn nothing_stored_holds_a_secret(engine: Engine) {
    let rows = nasty_rows();
    let room = Room::with_plaintext(engine, &rows);
    // Bytes that other programs deleted before sealing lie in free space: more than the upgrade itself fills.
    let deleted = "deleted-secret-needle ";
    let long = deleted.repeat(2_500);
    let rows_to_delete: Vec<_> =
        (0..12).map(|n| format!("('deleted-{n}', 'u', 'totp', '{long}')")).collect();
    let insert = format!(
        "INSERT INTO credential (id, user_id, type, secret_key) VALUES {}",
        rows_to_delete.join(", ")
    );
    let pragma = if engine == Engine::Sqlite { "PRAGMA secure_delete = OFF;" } else { "" };
    room.execute(&format!(
        "{pragma} {insert}; DELETE FROM credential WHERE id LIKE 'deleted%' OR id = 'row-000000'"
    ));
    let needles = |row: &crate::support::Row| {
        let values = [Some(row.secret_key.clone()), row.access_key.clone()];
        values
            .into_iter()
            .flatten()
            .filter(|value| value.len() >= 8)
            .map(|value| value.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let before = room.everything_stored();
    assert!(
        rows.iter().flat_map(needles).any(|needle| find(&before, needle.as_bytes())),
        "the search itself finds nothing"
    );

    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "rotate"]).expect(0);
    let stored = room.everything_stored();
    for needle in rows.iter().flat_map(needles).chain([deleted.to_owned()]) {
        let head: String = needle.chars().take(40).collect();
        let base64 = base64::engine::general_purpose::STANDARD.encode(&head);
        for form in [
            head.clone(),
            hex::encode(&head),
            hex::encode_upper(&head),
            base64.trim_end_matches('=')[..8].to_owned(),
        ] {
            assert!(!find(&stored, form.as_bytes()), "found {form:?}");
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn every_step_goes_back_and_forth(engine: Engine) {
    let rows = nasty_rows();
    let room = Room::with_plaintext(engine, &rows);
    for version in 2..=7 {
        room.run(&["migrate", "up", "--to", &version.to_string(), "--yes"]).expect(0);
        room.run(&["migrate", "down", "--steps", "1", "--yes"]).expect(0);
        room.run(&["migrate", "up", "--to", &version.to_string(), "--yes"]).expect(0);
        let listed = room.json(&["credential", "list", "--limit", "1000"]);
        assert_eq!(
            listed["credentials"].as_array().unwrap().len(),
            rows.len(),
            "at version {version}"
        );
        let made = room.json(&["credential", "create", "--user-id", "u", "--project-id", "p"]);
        let id = made["id"].as_str().unwrap();
        assert_eq!(
            room.json(&["credential", "show", "--id", id, "--reveal"])["secret"],
            made["secret"],
            "at version {version}"
        );
        room.run(&["credential", "delete", made["access"].as_str().unwrap()]).expect(0);
    }
    for version in (1..7).rev() {
        room.run(&["migrate", "down", "--to", &version.to_string(), "--yes"]).expect(0);
    }
    assert_eq!(room.plaintext(), rows);
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    room.run(&["migrate", "up", "--yes"]).expect(0);
}

fn a_way_down_that_is_given_up_leads_up_again(engine: Engine) {
    let rows = crate::support::numbered_rows(50);
    let room = Room::sealed(engine, &rows);
    room.run(&["migrate", "down", "--to", "5", "--yes", "--max-rows", "10"]).expect(3);
    room.run(&["migrate", "status", "--check"]).expect(3);
    let half_way = room.json(&["credential", "create", "--user-id", "u"]);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
    let status = room.json(&["keys", "status"]);
    assert_eq!(
        (status["cells"]["sealed"].as_u64(), status["cells"]["plaintext"].as_u64()),
        (Some(102), Some(0))
    );
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    room.execute(&format!(
        "DELETE FROM credential WHERE id = '{}'",
        half_way["id"].as_str().unwrap()
    ));
    assert_eq!(room.plaintext(), rows);
}
