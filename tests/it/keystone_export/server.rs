//! Export to tables on database servers.

use super::*;

/// The same code writes Keystone's table on every server.
#[test]
fn export_fills_keystones_table_on_every_server() {
    let room = imported(Engine::Sqlite);
    for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
        keystone_on(engine, &room);
    }
}

fn keystone_on(engine: Engine, room: &Room) {
    let (server, keys) = (Room::empty(engine), keys());
    make_table(&server);
    let json = |more: &[&str]| -> Ran {
        run_with_input(
            room,
            &[&export("-", &keys)[..], &["--format", "json"], more].concat(),
            server.url(),
        )
    };
    assert_eq!(json(&[]).expect(0).json()["exported"], 600);
    assert_eq!(json(&[]).expect(0).json(), unchanged(600));
    server.execute("UPDATE credential SET user_id = 'somebody else' WHERE type = 'totp'");
    let before = stored(&server);
    json(&[]).expect(4);
    assert_eq!(stored(&server), before);
    assert_eq!(json(&["--yes"]).expect(0).json()["updated"], 60);
    let second = Room::sealed(Engine::Sqlite, &[]);
    second.run(&import(server.url(), &keys)).expect(0);
    assert_is_as_expected(&second);
}

/// Keystone's tables on MySQL and MariaDB compare loosely and know no emoji; SQLite and PostgreSQL take it all.
#[test]
fn what_keystones_database_refuses_is_named_and_the_rest_goes_over() {
    let mut rows = numbered_rows(4);
    for row in &mut rows {
        (row.kind, row.access_key, row.extra) = ("totp".into(), None, None);
    }
    (rows[0].id, rows[1].id) = ("CASE".into(), "case".into());
    rows[2].user_id = "🔐".into();
    rows[3].id = "🔐".into();
    let (room, keys) = (Room::sealed(Engine::Sqlite, &rows), keys());
    for engine in [Engine::MySql, Engine::MariaDb] {
        let server = Room::empty(engine);
        make_table(&server);
        for (exported, unchanged, more) in [(1, 0, &[][..]), (0, 1, &[]), (0, 1, &["--yes"])] {
            let ran = room
                .run(&[&export(server.url(), &keys)[..], &["--format", "json"], more].concat())
                .expect(3);
            let refused =
                ["case", &rows[2].id, "🔐"].map(|id| json!({ "id": id, "reason": "refused" }));
            let report = json!({
                "read": 4, "exported": exported, "updated": 0, "unchanged": unchanged, "quarantined": refused
            });
            assert_eq!(ran.json(), report, "{engine}");
        }
        assert_eq!(server.text("SELECT id FROM credential"), "CASE");
    }
}
