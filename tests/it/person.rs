//! What a person types next: hints, counts, names, and files that a shell wants.

use std::fs;
use std::process::Command;

use crate::support::{Engine, Room, numbered_rows, on_every_engine, ran, typed};

on_every_engine!(
    a_dry_roll_counts_and_changes_nothing,
    an_id_and_an_access_key_are_told_apart,
    a_way_down_that_was_cut_short_names_its_end
);

fn a_dry_roll_counts_and_changes_nothing(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let before = (room.json(&["keys", "status"]), room.json(&["migrate", "history"]));
    let dry = room.json(&["keys", "rotate", "--dry-run"]);
    assert_eq!(dry, serde_json::json!({ "dry_run": true, "generation": 2, "cells": 6 }));
    room.run(&["keys", "rotate", "--dry-run", "--back"]).expect(4);
    assert_eq!((room.json(&["keys", "status"]), room.json(&["migrate", "history"])), before);
    room.run(&["keys", "rotate", "--max-rows", "1", "--batch-size", "1"]).expect(3);
    assert_eq!(room.json(&["keys", "rotate", "--dry-run"])["cells"], 4);
    assert_eq!(
        room.json(&["keys", "rotate", "--dry-run", "--back"]),
        serde_json::json!({ "dry_run": true, "generation": 1, "cells": 2 })
    );
    room.run(&["keys", "rotate"]).expect(0);
    let text = room.run(&["keys", "rotate", "--dry-run"]).expect(0).out;
    assert_eq!(text, "would move 6 cells to generation 3; nothing was done\n");
}

fn an_id_and_an_access_key_are_told_apart(engine: Engine) {
    let room = Room::sealed(engine, &[]);
    let made = room.json(&["credential", "create", "--user-id", "u"]);
    let (id, access) = (made["id"].as_str().unwrap(), made["access"].as_str().unwrap());
    let found = room.run(&["credential", "show", id, "--format", "json"]).expect(0);
    assert_eq!(found.json()["access"], access);
    assert!(found.err.contains("found by its id"), "{found:?}");
    let by_access = room.run(&["credential", "show", "--id", access]).expect(1);
    assert!(by_access.err.contains("that is an access key"), "{by_access:?}");
    room.run(&["credential", "show", "neither"]).expect(1);
    let kept = room.run(&["credential", "delete", id]).expect(1);
    assert!(kept.err.contains("that is an id"), "{kept:?}");
    room.run(&["credential", "show", access]).expect(0);
    typed(&room, &kept.err).expect(0);
    room.run(&["credential", "show", access]).expect(1);
}

fn a_way_down_that_was_cut_short_names_its_end(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    room.run(&["migrate", "down", "--to", "5", "--yes", "--max-rows", "1", "--batch-size", "1"])
        .expect(3);
    let status = room.run(&["migrate", "status"]).expect(0).out;
    let half_way = status.lines().find(|line| line.contains("half-way down")).unwrap();
    typed(&room, half_way).expect(0);
    assert!(!room.run(&["migrate", "status"]).expect(0).out.contains("half-way"));
}

/// The program's name alone would be another configuration's.
#[test]
fn hints_keep_the_configuration_and_the_answer() {
    let room = Room::empty(Engine::Sqlite);
    let config = "my conf.toml";
    fs::write(room.path().join(config), "").unwrap();
    let missing = room.run(&["keys", "rotate", "--config", config]).expect(4);
    assert!(
        missing.err.contains("`strongroom --config 'my conf.toml' migrate up --yes`"),
        "{missing:?}"
    );
    typed(&room, &missing.err).expect(0);
    let asked = room.run(&["--config", config, "migrate", "down", "--to", "1"]).expect(4);
    assert!(
        asked.err.contains("`strongroom --config 'my conf.toml' migrate down --to 1 --yes`"),
        "{asked:?}"
    );
    typed(&room, &asked.err).expect(0);
    let found = room.run(&["doctor", "--config", config, "--format", "json"]).expect(3).json();
    let hints: Vec<_> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| check["hint"].as_str())
        .collect();
    assert!(
        hints.iter().any(|hint| hint.contains("--config 'my conf.toml' migrate up --yes`")),
        "{hints:?}"
    );
    assert!(hints.iter().all(|hint| !hint.contains("`strongroom m")), "{hints:?}");
}

#[test]
fn an_address_is_not_repeated_in_a_hint() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let file = "password://in-a-file-name";
    let refused = room.run(&["migrate", "down", "--to", "1", "--quiet"]).expect(4);
    assert!(refused.err.contains("migrate down --to 1 --quiet --yes`"), "{refused:?}");
    let masked = room.run(&["migrate", "unlock", "--holder", file]).expect(1);
    assert!(!masked.err.contains(file), "{masked:?}");
}

#[test]
fn certificates_are_told_in_a_line_with_the_next_step() {
    let room = Room::sealed(Engine::Sqlite, &[]);
    let first = room.run(&["dev-certs", "--out", "certs"]).expect(0);
    assert_eq!(first.out.lines().count(), 1, "{first:?}");
    assert!(
        first.out.contains("files written in certs") && first.err.contains("[server]"),
        "{first:?}"
    );
    let settings = first.err.split_once("\n\n").unwrap().1;
    fs::write(room.path().join("strongroom.toml"), settings).unwrap();
    let again = room.run(&["dev-certs", "--out", "certs"]).expect(0);
    assert_eq!(again.out, "everything is in certs already\n");
    assert!(again.err.contains("Next: `strongroom serve`"), "{again:?}");
    let checks = room.run(&["doctor", "--format", "json"]).json();
    let certificate = checks["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == "certificate")
        .unwrap();
    assert_eq!(certificate["state"], "ok", "{certificate}");
    let revoked = room.run(&["dev-certs", "--out", "certs", "--revoke", "compute"]).expect(0);
    assert!(
        revoked.out.contains("crl.pem revokes compute")
            && revoked.err.contains("client_crl = \"certs/crl.pem\""),
        "{revoked:?}"
    );
}

#[test]
fn completions_and_pages_say_where_they_go_and_need_no_configuration() {
    let room = Room::empty(Engine::Sqlite);
    fs::write(room.path().join("strongroom.toml"), "broken").unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = room.run(&["completions", shell]).expect(0);
        assert!(
            said.err.contains(&format!("strongroom completions {shell} --quiet >")),
            "{said:?}"
        );
        assert!(said.out.contains("rotate-login"), "{shell}");
        let quiet = room.run(&["completions", shell, "--quiet"]).expect(0);
        assert_eq!((quiet.out, quiet.err.as_str()), (said.out, ""));
    }
    let said = room.run(&["completions", "bash"]).expect(0).err;
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("  ")).collect();
    let program = format!("{} ", env!("CARGO_BIN_EXE_strongroom"));
    let typed =
        lines.join("\n").replace("strongroom completions", &format!("{program} completions"));
    ran(Command::new("sh").current_dir(room.path()).env("HOME", room.path()).args(["-ec", &typed]))
        .expect(0);
    let written = room.path().join(".local/share/bash-completion/completions/strongroom");
    ran(Command::new("bash").arg("-n").arg(written)).expect(0);
    let pages = room.run(&["man", "--out", "pages"]).expect(0);
    assert!(pages.err.contains("man -l pages/strongroom.1"), "{pages:?}");
    assert!(room.path().join("pages/strongroom.1").exists());
}

/// A command's own options come first.
#[test]
fn help_shows_own_options_before_global_ones() {
    let room = Room::empty(Engine::Sqlite);
    for command in [
        &["keys", "rotate"][..],
        &["serve"],
        &["migrate", "up"],
        &["credential", "list"],
        &["status"],
    ] {
        let help = room.run(&[command, &["--help"]].concat()).expect(0).out;
        let (own, global) = help.split_once("\nGlobal options:\n").unwrap();
        assert!(own.contains("Options:\n") && !own.contains("--config"), "{help}");
        assert!(global.contains("--config <FILE>") && global.contains("--yes"), "{help}");
    }
}
