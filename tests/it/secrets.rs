//! A canary in every secret place: it is seen where it was asked for, and nowhere else.

use std::fs;

use crate::support::{Engine, Ran, Room, Row, on_every_engine, ran};

on_every_engine!(no_secret_in_output_or_logs);

fn no_secret_in_output_or_logs(engine: Engine) {
    let canary = "CANARY-secret-7f3a";
    let mut rows: Vec<Row> = (1..=3).map(|n| Row::new(n, format!("{canary}-{n}"))).collect();
    rows[1].access_key = Some("CANARY-access-7f3a".into());
    let room = Room::with_plaintext(engine, &rows);
    let key = fs::read_to_string(room.key_file()).unwrap().trim().to_owned();
    let check = |ran: Ran| {
        for secret in ["CANARY", &key, "only-for-tests"] {
            assert!(!ran.all().contains(secret), "{secret}: {ran:#?}");
        }
        for envelope in room.query_cells() {
            assert!(!ran.all().to_lowercase().contains(&envelope), "{ran:#?}");
        }
    };
    let loud = |arguments: &[&str]| {
        let mut command = room.command(arguments);
        ran(command.arg("-vvv").env("RUST_LOG", "trace"))
    };
    check(loud(&["migrate", "up", "--to", "5"]));
    check(loud(&["migrate", "up", "--yes"]));
    check(loud(&["keys", "rotate"]));
    check(loud(&["keys", "verify"]));
    check(loud(&["credential", "list"]));
    check(loud(&["policy", "plan"]));
    check(loud(&["policy", "show", "--format", "json"]));
    if engine != Engine::Sqlite {
        let password = |room: &Room| {
            room.json(&["policy", "login", "api", "--reveal"])["password"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let before = password(&room);
        let said = [
            loud(&["policy", "rotate-login", "api", "--settle", "1"]),
            loud(&["policy", "apply"]),
            loud(&["policy", "login", "api"]),
        ];
        for said in said {
            for password in [&before, &password(&room)] {
                assert!(!said.all().contains(password), "{said:#?}");
            }
            check(said);
        }
    }
    room.tamper("UPDATE credential SET user_id = 'mallory' WHERE id = 'row-000003'");
    check(loud(&["credential", "show", "--id", "row-000003", "--reveal"]));
    check(loud(&["keys", "rotate", "--format", "json"]));
    check(loud(&["migrate", "down", "--to", "1", "--yes"]));
    check(
        crate::support::run_with_input(
            &room,
            &["credential", "create", "--user-id", "u", "--access", "-", "-vvv"],
            "CANARY-access-7f3a\n",
        )
        .without_result(),
    );
    let shown =
        room.run(&["credential", "show", "--id", "row-000001", "--format", "json"]).expect(0);
    assert!(!shown.all().contains(canary), "not without --reveal");
    let shown = room.run(&["credential", "show", "--id", "row-000001", "--reveal"]).expect(0);
    assert!(shown.out.contains(canary), "the canary is found where it must be");
}
