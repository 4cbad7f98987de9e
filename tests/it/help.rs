//! What a person reads, as snapshots.

use crate::support::{Engine, Room, numbered_rows};

#[test]
fn help() {
    let room = Room::empty(Engine::Sqlite);
    let commands: [&[&str]; 17] = [
        &["--help"],
        &["migrate", "--help"],
        &["migrate", "up", "--help"],
        &["migrate", "down", "--help"],
        &["keys", "--help"],
        &["keys", "rotate", "--help"],
        &["credential", "create", "--help"],
        &["credential", "list", "--help"],
        &["import", "keystone", "--help"],
        &["export", "keystone", "--help"],
        &["policy", "--help"],
        &["policy", "rotate-login", "--help"],
        &["status", "--help"],
        &["doctor", "--help"],
        &["serve", "--help"],
        &["dev-certs", "--help"],
        &["audit", "verify", "--help"],
    ];
    let pages = commands.map(|command| {
        format!("$ strongroom {}\n{}", command.join(" "), room.run(command).expect(0).out)
    });
    insta::assert_snapshot!(pages.join("\n"));
}

#[test]
fn errors_say_what_why_and_what_to_type_next() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(3));
    let key = room.key_file();
    let mut said = vec![
        room.run(&["keys", "rotate", "--back"]).err,
        room.run(&["migrate", "down", "--to", "1"]).err,
        room.run(&["migrate", "up", "--to", "nowhere"]).err,
        room.run(&["credential", "show", "--id", "nobody"]).err,
    ];
    room.tamper("UPDATE credential SET user_id = 'mallory' WHERE id = 'row-000001'");
    said.push(
        room.run(&["credential", "show", "--id", "row-000001"])
            .err
            .lines()
            .skip(1)
            .collect::<Vec<_>>()
            .join("\n")
            + "\n",
    );
    said.push(room.run(&["keys", "verify"]).out);
    room.execute("UPDATE strongroom_manifest SET epoch = epoch + 1");
    said.push(room.run(&["keys", "status"]).err);
    std::fs::remove_file(key).unwrap();
    said.push(room.run(&["keys", "status"]).err);
    insta::assert_snapshot!(said.join("\n"));
}
