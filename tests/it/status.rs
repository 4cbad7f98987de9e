//! `strongroom status`: what it shows, and that it judges as `doctor` does.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Engine, Room, numbered_rows, on_every_engine, ran, typed};

on_every_engine!(
    an_empty_database_has_one_finding_and_the_next_command,
    a_healthy_database_has_no_findings,
    what_is_left_comes_with_commands_that_work,
    a_missing_key_hides_nothing_but_the_ring,
    a_login_that_may_only_read_is_enough,
);

/// Runs it, and compares the verdict with `doctor`'s.
fn status(room: &Room, code: i32) -> Value {
    let document = room.run(&["status", "--format", "json"]).expect(code).json();
    let doctor = room.run(&["doctor", "--format", "json"]);
    assert_eq!(doctor.code == 0, code == 0, "{doctor:?}");
    let wrong = doctor.json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["state"] != "ok")
        .count();
    assert_eq!(document["findings"].as_array().unwrap().len(), wrong, "{document}");
    document
}

#[track_caller]
fn finding<'a>(document: &'a Value, code: &str) -> &'a Value {
    let found =
        document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {document:#}"))
}

fn close_to_others(room: &Room) {
    for entry in fs::read_dir(room.path()).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn an_empty_database_has_one_finding_and_the_next_command(engine: Engine) {
    let room = Room::empty(engine);
    close_to_others(&room);
    let document = status(&room, 3);
    assert_eq!(
        (&document["version"], document["pending"].as_u64()),
        (&0.into(), Some(12)),
        "{document}"
    );
    assert_eq!(
        document["cells"],
        serde_json::json!({ "total": 0, "sealed": 0, "plaintext": 0, "quarantined": 0 })
    );
    assert!(
        finding(&document, "pending")["hint"]
            .as_str()
            .unwrap()
            .contains("`strongroom migrate up --yes`"),
        "{document}"
    );
    assert_eq!(document["findings"].as_array().unwrap().len(), 1, "{document}");
    assert_eq!(room.tables(), 0);
}

fn a_healthy_database_has_no_findings(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    close_to_others(&room);
    // It names what differs, where `status` counts.
    room.run(&["policy", "check"]).expect(0);
    let document = status(&room, 0);
    assert_eq!(document["findings"], serde_json::json!([]));
    assert_eq!(document["database"]["engine"], engine.to_string());
    assert_eq!(
        (document["version"].as_u64(), document["phase"].as_str()),
        (Some(12), Some("sealed"))
    );
    assert_eq!(
        (document["cells"]["sealed"].as_u64(), document["ring"]["active"].as_u64()),
        (Some(6), Some(1)),
        "{document}"
    );
    assert_eq!(
        (document["ring"]["to_move"].as_u64(), document["audit"]["rows"].as_u64()),
        (Some(0), Some(0)),
        "{document}"
    );
    let text = room.run(&["status"]).expect(0).out;
    for says in [
        "12 of 12; phase sealed",
        "6 values: 6 sealed",
        "generation 1 is active",
        "nothing is left to do",
    ] {
        assert!(text.contains(says), "{text}");
    }
    assert!(!text.contains("only-for-tests") && text.lines().count() < 24, "{text}");
}

fn what_is_left_comes_with_commands_that_work(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(3));
    assert_eq!(
        finding(&status(&room, 3), "plaintext")["message"],
        "6 of 6 values stand in the clear"
    );
    room.run(&["migrate", "up", "--to", "4", "--max-rows", "2", "--batch-size", "1"]).expect(3);
    let half_way = status(&room, 3);
    typed(&room, finding(&half_way, "half_way")["hint"].as_str().unwrap()).expect(0);
    room.run(&["keys", "rotate", "--max-rows", "1", "--batch-size", "1"]).expect(3);
    let rolling = status(&room, 3);
    assert_eq!(
        (rolling["ring"]["to_move"].as_u64(), rolling["ring"]["rolling"].as_str()),
        (Some(4), Some("forward")),
        "{rolling}"
    );
    typed(&room, finding(&rolling, "roll_unfinished")["hint"].as_str().unwrap()).expect(0);
    room.tamper("UPDATE credential SET user_id = 'mallory' WHERE id = 'row-000001'");
    room.run(&["keys", "rotate"]).expect(3);
    let quarantined = status(&room, 3);
    assert_eq!(
        (&quarantined["quarantined"], &quarantined["ring"]["to_move"]),
        (&2.into(), &2.into()),
        "{quarantined}"
    );
    typed(&room, finding(&quarantined, "quarantine")["hint"].as_str().unwrap()).expect(0);
    finding(&quarantined, "old_generation");
    room.execute("UPDATE strongroom_manifest SET epoch = epoch + 1");
    finding(&status(&room, 3), "manifest_forged");
}

fn a_missing_key_hides_nothing_but_the_ring(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    fs::remove_file(room.key_file()).unwrap();
    let document = status(&room, 3);
    finding(&document, "key_missing");
    assert_eq!(
        (document["cells"]["sealed"].as_u64(), document["ring"]["verified"].as_bool()),
        (Some(6), Some(false)),
        "{document}"
    );
    assert_eq!(document["ring"]["to_move"], Value::Null);
    assert!(room.run(&["status"]).expect(3).out.contains("by a manifest that was not verified"));
}

fn a_login_that_may_only_read_is_enough(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let (before, database) = room.url().rsplit_once('/').unwrap();
    let reader = format!("reader_{database}");
    let statements = match engine {
        Engine::Sqlite => {
            close_to_others(&room);
            fs::set_permissions(
                room.path().join("strongroom.db"),
                fs::Permissions::from_mode(0o400),
            )
            .unwrap();
            assert_eq!(status(&room, 0)["cells"]["sealed"], 4);
            return;
        }
        Engine::Postgres => [
            format!("CREATE ROLE {reader} LOGIN PASSWORD 'for-reading'"),
            format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}"),
        ],
        Engine::MySql | Engine::MariaDb => [
            format!("CREATE USER {reader} IDENTIFIED BY 'for-reading'"),
            format!("GRANT SELECT ON {database}.* TO {reader}"),
        ],
    };
    for statement in statements {
        room.execute(&statement);
    }
    let (scheme, host) = (before.split("://").next().unwrap(), before.rsplit_once('@').unwrap().1);
    let mut command = room.command(&["status", "--format", "json"]);
    command.env(
        "STRONGROOM__DATABASE__URL",
        format!("{scheme}://{reader}:for-reading@{host}/{database}"),
    );
    let document = ran(&mut command).json();
    assert_eq!(
        (document["cells"]["sealed"].as_u64(), document["version"].as_u64()),
        (Some(4), Some(12)),
        "{document}"
    );
    room.execute(&if engine == Engine::Postgres {
        format!("DROP OWNED BY {reader}; DROP ROLE {reader}")
    } else {
        format!("DROP USER {reader}")
    });
}

#[test]
fn an_unreachable_database_is_an_error() {
    let room = Room::empty(Engine::Sqlite);
    let mut command = room.command(&["status"]);
    command.env("STRONGROOM__DATABASE__URL", "postgres://nobody@127.0.0.1:1/none");
    ran(&mut command).expect(6);
}

#[test]
fn a_service_is_asked_whether_it_is_ready() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    close_to_others(&room);
    let service = room.serve("");
    let file = room.path().join("strongroom.toml");
    let server = fs::read_to_string(&file).unwrap();
    let port = service.url.rsplit(':').next().unwrap();
    fs::write(&file, server.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"))).unwrap();
    let by_its_own_settings = status(&room, 0);
    assert!(
        by_its_own_settings["service"].as_str().unwrap().ends_with(" is ready"),
        "{by_its_own_settings}"
    );
    fs::write(&file, format!("[service]\nurl = \"{}\"\nca_file = \"certs/ca.pem\"\n", service.url))
        .unwrap();
    let by_its_address = status(&room, 0);
    assert!(by_its_address["service"].as_str().unwrap().ends_with(" is ready"), "{by_its_address}");
    service.stop();
    assert!(
        finding(&status(&room, 0), "service_not_running")["hint"]
            .as_str()
            .unwrap()
            .contains("`strongroom serve`")
    );
}

#[test]
fn watching_is_refused_without_a_terminal() {
    let room = Room::empty(Engine::Sqlite);
    let refused = room.run(&["status", "--watch"]).expect(2);
    typed(&room, refused.err.as_str()).expect(3);
    room.run(&["status", "--watch", "--format", "json"]).expect(2);
}

/// On a terminal made by script(1), until Ctrl-C.
fn watched(room: &Room, no_color: bool) -> (i32, String) {
    let mut command = Command::new("script");
    command.args([
        "-qfec",
        &format!("stty cols 60 rows 40; exec {} status --watch", env!("CARGO_BIN_EXE_strongroom")),
        "/dev/null",
    ]);
    command
        .current_dir(room.path())
        .env("STRONGROOM__DATABASE__URL", room.url())
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh");
    command.env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("RUST_LOG");
    if no_color {
        command.env("NO_COLOR", "1");
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut out, mut stdin) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let (begun, mut seen, mut buffer) = (Instant::now(), Vec::new(), [0_u8; 4096]);
    let frames = |seen: &[u8]| String::from_utf8_lossy(seen).matches("\u{1b}[H").count();
    while frames(&seen) < 2 {
        assert!(begun.elapsed() < Duration::from_mins(1), "{}", String::from_utf8_lossy(&seen));
        let read = out.read(&mut buffer).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..read]);
    }
    stdin.write_all(b"\x03").unwrap();
    out.read_to_end(&mut seen).unwrap();
    (child.wait().unwrap().code().unwrap(), String::from_utf8_lossy(&seen).into_owned())
}

#[test]
fn watching_redraws_in_place_until_ctrl_c() {
    let room = Room::with_plaintext(Engine::Sqlite, &numbered_rows(3));
    let (code, plain) = watched(&room, true);
    assert_eq!(code, 130, "{plain}");
    assert_eq!(plain.matches("\u{1b}[2J").count(), 0, "clearing the screen flickers");
    for says in [
        "\u{1b}[?1049h",
        "\u{1b}[?25l",
        "\u{1b}[?25h",
        "\u{1b}[?1049l",
        "6 of 6 values",
        "migrate up --yes",
    ] {
        assert!(plain.contains(says), "{says:?}: {plain}");
    }
    assert!(!plain.contains("\u{1b}[33m") && !plain.contains("\u{1b}[31m"), "NO_COLOR: {plain}");
    // The head of a frame follows the end of the one before.
    let frames = plain.replace("\u{1b}[H", "\n");
    let longest = frames.lines().map(console_width).max().unwrap();
    assert!(longest <= 60, "{longest}: {plain}");
    let (_, coloured) = watched(&room, false);
    assert!(coloured.contains("\u{1b}[33m"), "{coloured}");
}

/// What is left of a line without what moves the cursor.
fn console_width(line: &str) -> usize {
    let sequences = regex::Regex::new("\u{1b}\\[[?0-9;]*[a-zA-Z]").unwrap();
    sequences.replace_all(line, "").trim_end_matches('\r').chars().count()
}
