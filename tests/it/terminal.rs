//! No value from a database, a caller or a file moves the cursor, changes a colour, or adds a line.

use std::fs;

use crate::support::{Engine, Ran, Room, Row, on_every_engine};

on_every_engine!(values_with_control_characters_are_shown_as_escapes);

const NASTY: &str = "a\u{1b}[2J\u{1b}]0;title\u{7}b\rc\nd\u{9b}31me\u{202e}f\u{7f}g\th";

#[track_caller]
fn is_clean(ran: &Ran, what: &str) {
    let text = ran.all();
    let bad = text
        .chars()
        .find(|c| *c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}')));
    assert_eq!(bad, None, "{what}: {ran:?}");
    // The line break inside the value is no line break of the output.
    assert!(!text.lines().any(|line| line.starts_with('d')), "{what}: {ran:?}");
}

fn values_with_control_characters_are_shown_as_escapes(engine: Engine) {
    let id = NASTY.chars().take(60).collect::<String>();
    let row = |id: &str, user: &str| Row {
        id: id.to_owned(),
        user_id: user.to_owned(),
        project_id: Some(NASTY.to_owned()),
        kind: "ec2".to_owned(),
        access_key: Some(format!("access {id}")),
        secret_key: "secret".to_owned(),
        extra: None,
    };
    let room = Room::sealed(engine, &[row(&id, NASTY), row("plain", NASTY)]);
    let see = |arguments: &[&str], code: i32| {
        let text = room.run(arguments);
        is_clean(&text, &arguments.join(" "));
        let document = room.run(&[arguments, &["--format", "json"]].concat());
        is_clean(&document, &format!("{} as JSON", arguments.join(" ")));
        assert_eq!((text.code, document.code), (code, code), "{text:?} {document:?}");
        text
    };
    let listed = see(&["credential", "list"], 0);
    assert!(
        listed
            .out
            .contains("a\\u{1b}[2J\\u{1b}]0;title\\u{7}b\\rc\\nd\\u{9b}31me\\u{202e}f\\u{7f}g\\th"),
        "{listed:?}"
    );
    assert_eq!(listed.out.lines().count(), 2, "{listed:?}");
    see(&["credential", "show", "--id", &id], 0);
    see(&["credential", "show", "--id", &format!("{NASTY}x")], 1);
    let listed = room.json(&["credential", "list"]);
    assert_eq!(listed["credentials"][0]["user_id"], NASTY);

    room.drop_bound_guards();
    room.try_execute(
        "UPDATE credential SET user_id = $1 WHERE id = $2",
        vec!["moved".into(), id.clone().into()],
    )
    .unwrap();
    see(&["keys", "verify"], 3);
    see(&["keys", "rotate"], 3);
    see(&["keys", "quarantine", "list"], 0);
    see(&["keys", "quarantine", "export"], 0);
    see(&["credential", "show", "--id", &id], 1);
    see(&["keys", "status"], 0);

    let holder = format!("{NASTY}:12:3:b:n");
    room.try_execute(
        "UPDATE strongroom_lock SET holder = $1, expires_ms = 9999999999999",
        vec![holder.clone().into()],
    )
    .unwrap();
    see(&["migrate", "status"], 0);
    let _ = room.run(&["doctor"]);
    is_clean(&room.run(&["doctor"]), "doctor");
    is_clean(&room.run(&["migrate", "unlock", "--holder", &holder]), "unlock without agreement");
    see(&["migrate", "unlock", "--holder", "nobody \u{1b}[31m"], 1);
    room.run(&["migrate", "unlock", "--yes", "--holder", &holder]).expect(0);

    room.try_execute(
        "UPDATE strongroom_history SET name = $1 WHERE kind = 'roll'",
        vec![NASTY.into()],
    )
    .unwrap();
    see(&["migrate", "history"], 0);
    let audit = "INSERT INTO strongroom_audit (number, at_ms, replica, request, component, identity, action, object, result, barrier, mac) \
                 VALUES (1, 1, $1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let short: String = NASTY.chars().take(16).collect();
    if room
        .try_execute(
            audit,
            vec![short.clone().into(); 8].into_iter().chain([vec![0_u8; 32].into()]).collect(),
        )
        .is_ok()
    {
        is_clean(&room.run(&["audit", "list"]), "audit list");
    }
}

#[test]
fn arguments_settings_and_files_are_shown_as_escapes() {
    let room = Room::empty(Engine::Sqlite);
    let nasty = "x\u{1b}[31m\u{9b}m\r";
    for arguments in [
        &["credential", "show", "--id", nasty][..],
        &["--config", nasty, "migrate", "status"],
        &["migrate", "up", "--to", nasty],
        &[nasty],
        &["credential", nasty],
        &["--format", "json", nasty],
        &["keys", "rewrap", "--to", nasty],
        &["policy", "explain", nasty, nasty],
        &["credential", "list", "--service", nasty],
        &["credential", "create", "--user-id", "u", "--secret-file", nasty],
        &["import", "keystone", "--from", nasty, "--key-repository", nasty],
    ] {
        let ran = room.run(arguments);
        assert_ne!(ran.code, 0, "{arguments:?}");
        is_clean(&ran, &format!("{arguments:?}"));
    }
    fs::write(room.path().join("strongroom.toml"), "[database]\n\"colour\u{9b}31m\" = \"blue\"\n")
        .unwrap();
    is_clean(&room.run(&["migrate", "status"]).expect(2), "an unknown setting");
    // A log line is one line.
    fs::remove_file(room.path().join("strongroom.toml")).unwrap();
    let mut command = room.command(&["-vvv", "migrate", "status"]);
    is_clean(&crate::support::ran(command.env("STRONGROOM__KEYS__FILE", nasty)), "logs");
}
