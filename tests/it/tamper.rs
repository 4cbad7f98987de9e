//! Whoever can write to the database cannot make a cell open where it does not belong.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Engine, Room, numbered_rows, on_every_engine};

on_every_engine!(
    misplaced_cells_are_named_and_everything_else_works,
    a_cell_of_another_database_does_not_open,
    an_edited_manifest_is_refused,
    an_old_manifest_is_refused_under_a_pinned_epoch,
    a_damaged_key_blocks_its_own_cells_only,
    plaintext_is_not_dropped_while_a_cell_says_something_else,
    an_edited_history_moves_nothing,
);

/// What an attacker does, to which row, and the reason that `keys verify` gives. Rows 1 to 9 have projects.
const ATTACKS: [(&str, &str, &str); 6] = [
    (
        "another row of the same project",
        "UPDATE credential SET secret_key_sealed = (SELECT cell FROM (SELECT secret_key_sealed AS cell FROM credential WHERE id = 'row-000012') donor) WHERE id = 'row-000001'",
        "row-000001 not_for_this_row",
    ),
    (
        "another column",
        "UPDATE credential SET secret_key_sealed = access_key_sealed WHERE id = 'row-000002'",
        "row-000002 not_for_this_row",
    ),
    (
        "another project",
        "UPDATE credential SET secret_key_sealed = (SELECT cell FROM (SELECT secret_key_sealed AS cell FROM credential WHERE id = 'row-000004') donor) WHERE id = 'row-000003'",
        "row-000003 foreign_scope",
    ),
    (
        "a changed owner",
        "UPDATE credential SET user_id = 'mallory' WHERE id = 'row-000006'",
        "row-000006 not_for_this_row",
    ),
    (
        "widened restrictions",
        "UPDATE credential SET extra = NULL WHERE id = 'row-000007'",
        "row-000007 not_for_this_row",
    ),
    (
        "another index",
        "UPDATE credential SET access_key_index = NULL WHERE id = 'row-000008'",
        "row-000008 index_mismatch",
    ),
];

fn misplaced_cells_are_named_and_everything_else_works(engine: Engine) {
    let rows = numbered_rows(40);
    let room = Room::sealed(engine, &rows);
    for (_, sql, _) in ATTACKS {
        room.tamper(sql);
    }
    forge_under_a_foreign_key(&room, "row-000009", "row-000013");
    let flipped = room.bytes("SELECT secret_key_sealed FROM credential WHERE id = 'row-000011'");
    room.try_execute(
        "UPDATE credential SET secret_key_sealed = $1 WHERE id = 'row-000011'",
        vec![last_byte_flipped(flipped).into()],
    )
    .unwrap();

    let verified = room.run(&["keys", "verify", "--format", "json"]).expect(3).json();
    let named = names(&verified);
    for (what, _, expected) in ATTACKS {
        assert!(named.iter().any(|name| name == expected), "{what}: {named:#?}");
    }
    assert!(named.contains("row-000009 foreign_scope"), "{named:#?}");
    assert!(named.contains("row-000011 corrupt"), "{named:#?}");
    let bad: BTreeSet<&str> = named.iter().map(|name| &name[..10]).collect();

    let listed = room.json(&["credential", "list", "--limit", "100"]);
    assert_eq!(listed["credentials"].as_array().unwrap().len(), 40);
    for row in &rows {
        let shown =
            room.run(&["credential", "show", "--id", &row.id, "--reveal", "--format", "json"]);
        if bad.contains(row.id.as_str()) && row.id != "row-000008" {
            assert_eq!(shown.expect(1).json()["error"]["code"], "unopenable");
        } else {
            assert_eq!(shown.expect(0).json()["secret"], row.secret_key);
        }
    }

    let rolled = room.run(&["keys", "rotate", "--format", "json"]).expect(3).json();
    let failed = verified["failed"].as_array().unwrap().iter();
    let unopenable = failed.filter(|bad| bad["reason"] != "index_mismatch").count();
    assert_eq!(rolled["quarantined"], unopenable);
    let status = room.json(&["keys", "status"]);
    assert_eq!(status["cells"]["quarantined"], unopenable);
    assert_eq!(status["generations"][1]["cells"], 80 - unopenable);
    // A bad row does not hold up the next roll, which is a new one and not the last continued.
    assert_eq!(room.run(&["keys", "rotate", "--format", "json"]).expect(3).json()["generation"], 3);
    // Going down would lose what does not open, so it is refused, and nothing is dropped.
    let down = room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(4);
    assert!(down.err.contains("nothing was dropped"), "{}", down.err);
    room.run(&["keys", "verify"]).expect(3);
}

fn names(verified: &Value) -> BTreeSet<String> {
    let failed = verified["failed"].as_array().unwrap().iter();
    failed
        .map(|bad| format!("{} {}", bad["id"].as_str().unwrap(), bad["reason"].as_str().unwrap()))
        .collect()
}

fn last_byte_flipped(mut cell: Vec<u8>) -> Vec<u8> {
    *cell.last_mut().unwrap() ^= 1;
    cell
}

/// Barbican's fault: a valid key of one project, used to make a row of another. The attacker here even
/// has the root, and seals for the victim's row, column and owner, but under another project's key.
fn forge_under_a_foreign_key(room: &Room, victim: &str, donor: &str) {
    use strongroom::crypto::{
        Context, DataKey, KeyId, Purpose, RingId, RootKey, WrappedKeyLabel, seal_cell, unwrap_key,
    };
    let key = base64_decode(std::fs::read_to_string(room.key_file()).unwrap().trim());
    let root_key = RootKey::from_bytes(&key.try_into().unwrap()).unwrap();
    let ring = room.bytes("SELECT ring_id FROM strongroom_manifest");
    let ring = RingId::try_from(ring.as_slice()).unwrap();
    let cell =
        room.bytes(&format!("SELECT secret_key_sealed FROM credential WHERE id = '{donor}'"));
    let id = KeyId::from_be_bytes(cell[4..8].try_into().unwrap());
    let scope = room.text(&format!("SELECT scope FROM strongroom_key WHERE id = {id}"));
    let wrapped = room.bytes(&format!("SELECT wrapped FROM strongroom_key WHERE id = {id}"));
    let label =
        WrappedKeyLabel { ring: &ring, id, purpose: Purpose::Data, scope: &scope, generation: 1 };
    let data: DataKey = unwrap_key(&root_key, &label, &wrapped).unwrap();
    let column =
        |name: &str| room.text(&format!("SELECT {name} FROM credential WHERE id = '{victim}'"));
    let (user, project, kind, extra) =
        (column("user_id"), column("project_id"), column("type"), column("extra"));
    let owners = [
        ("user_id", user.as_str().into()),
        ("project_id", project.as_str().into()),
        ("type", kind.as_str().into()),
        ("extra", extra.as_str().into()),
    ];
    let context = Context::cell(victim, &owners);
    let forged =
        seal_cell(&data.column(&ring, "credential.secret_key"), id, &context, b"forged").unwrap();
    let sql = format!("UPDATE credential SET secret_key_sealed = $1 WHERE id = '{victim}'");
    room.try_execute(&sql, vec![forged.into()]).unwrap();
}

fn base64_decode(text: &str) -> Vec<u8> {
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap()
}

fn a_cell_of_another_database_does_not_open(engine: Engine) {
    let rows = numbered_rows(3);
    let (here, there) = (Room::with_plaintext(engine, &rows), Room::with_plaintext(engine, &rows));
    std::fs::copy(here.key_file(), there.key_file()).unwrap();
    for room in [&here, &there] {
        room.run(&["migrate", "up", "--yes"]).expect(0);
    }
    let cell = there.bytes("SELECT secret_key_sealed FROM credential WHERE id = 'row-000001'");
    here.drop_key_guards();
    here.try_execute(
        "UPDATE credential SET secret_key_sealed = $1 WHERE id = 'row-000001'",
        vec![cell.into()],
    )
    .unwrap();
    let verified = here.run(&["keys", "verify", "--format", "json"]).expect(3).json();
    assert_eq!(verified["failed"].as_array().unwrap().len(), 1);
    assert_eq!(verified["failed"][0]["id"], "row-000001");
}

fn an_edited_manifest_is_refused(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    room.run(&["keys", "rotate"]).expect(0);
    let edits = [
        ("phase", "body = replace(body, '\"credential\":\"sealed\"', '\"credential\":\"plain\"')"),
        ("state", "body = replace(body, 'decrypt_only', 'retired')"),
        ("active generation", "body = replace(body, '\"active\":2', '\"active\":1')"),
        ("epoch", "epoch = epoch + 1"),
        ("both epochs", "epoch = 1, body = replace(body, '\"epoch\":', '\"epoch\":1')"),
    ];
    let (body, epoch) = (
        room.text("SELECT body FROM strongroom_manifest"),
        room.number("SELECT epoch FROM strongroom_manifest"),
    );
    for (what, edit) in edits {
        room.execute(&format!("UPDATE strongroom_manifest SET {edit}"));
        let commands: [&[&str]; 6] = [
            &["keys", "status"],
            &["keys", "verify"],
            &["keys", "rotate"],
            &["credential", "create", "--user-id", "u"],
            &["credential", "show", "--id", "row-000001"],
            &["migrate", "down", "--to", "1", "--yes"],
        ];
        for command in commands {
            let ran = room.run(command);
            assert_eq!(ran.code, 4, "{what}: {command:?}: {ran:?}");
        }
        room.try_execute(
            "UPDATE strongroom_manifest SET body = $1, epoch = $2",
            vec![body.clone().into(), epoch.into()],
        )
        .unwrap();
    }
    room.run(&["keys", "verify"]).expect(0);
}

/// Without a memory of epochs; `epochs.rs` has the rest.
fn an_old_manifest_is_refused_under_a_pinned_epoch(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let row = |column: &str| room.text(&format!("SELECT {column} FROM strongroom_manifest"));
    let (body, epoch) = (row("body"), room.number("SELECT epoch FROM strongroom_manifest"));
    let mac = room.bytes("SELECT mac FROM strongroom_manifest");
    room.run(&["keys", "rotate"]).expect(0);
    let newest = room.number("SELECT epoch FROM strongroom_manifest");
    room.try_execute(
        "UPDATE strongroom_manifest SET body = $1, epoch = $2, mac = $3",
        vec![body.into(), epoch.into(), mac.into()],
    )
    .unwrap();
    let pinned = |epoch: i64, command: &[&str]| {
        let _ = std::fs::remove_file(room.path().join("strongroom.key.epoch"));
        crate::support::ran(
            room.command(command).env("STRONGROOM__KEYS__MINIMUM_EPOCH", epoch.to_string()),
        )
    };
    for command in [
        &["keys", "status"][..],
        &["keys", "rewrap", "--to", "file:next.key"],
        &["credential", "list"],
    ] {
        let refused = pinned(newest, &[command, &["--format", "json"]].concat()).expect(4);
        assert_eq!(refused.json()["error"]["code"], "manifest_older", "{command:?}");
    }
    assert!(!room.path().join("next.key").exists());
    pinned(epoch, &["keys", "status"]).expect(0);
}

fn a_damaged_key_blocks_its_own_cells_only(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(40));
    room.execute("UPDATE strongroom_key SET generation = 2 WHERE scope = 'project:project-1'");
    let verified = room.run(&["keys", "verify", "--format", "json"]).expect(3).json();
    let failed = verified["failed"].as_array().unwrap();
    let (keys, cells): (Vec<_>, Vec<_>) =
        failed.iter().partition(|bad| bad["table"] == "strongroom_key");
    assert_eq!(keys.len(), 1, "{verified}");
    assert!(cells.iter().all(|cell| cell["reason"] == "unknown_key"), "{verified}");
    let rows = numbered_rows(40);
    let of_the_project = rows.iter().filter(|row| row.project_id.as_deref() == Some("project-1"));
    assert_eq!(cells.len(), 2 * of_the_project.count(), "{verified}");
    room.run(&["keys", "rotate"]).expect(3);
    room.execute("UPDATE strongroom_key SET generation = 1 WHERE scope = 'project:project-1' AND generation = 2");
    room.run(&["keys", "rotate"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
}

/// Both cells are authentic, and one is not what its row says: the only good copy is the plaintext.
fn plaintext_is_not_dropped_while_a_cell_says_something_else(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(20));
    room.run(&["migrate", "up", "--to", "5"]).expect(0);
    room.execute(
        "UPDATE credential SET secret_key_sealed = access_key_sealed WHERE id = 'row-000003'",
    );
    let refused = room.run(&["migrate", "up", "--yes"]).expect(4);
    assert!(
        refused.err.contains("row-000003") && refused.err.contains("nothing was dropped"),
        "{}",
        refused.err
    );
    assert_eq!(room.plaintext(), numbered_rows(20));
    room.run(&["migrate", "down", "--to", "3", "--yes"]).expect(0);
    room.execute("UPDATE credential SET secret_key_sealed = NULL WHERE id = 'row-000003'");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
}

/// The history is not authenticated; the phase is. Whoever edits the history cannot have forged
/// plaintext sealed over good cells, nor the ring dropped under them.
fn an_edited_history_moves_nothing(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let cells = room.query_cells();
    room.execute("DELETE FROM strongroom_history WHERE number >= 5");
    room.execute("ALTER TABLE credential ADD COLUMN access_key varchar(255)");
    room.execute("ALTER TABLE credential ADD COLUMN secret_key varchar(64) DEFAULT 'forged'");
    let refused = room.run(&["migrate", "up", "--yes", "--format", "json"]).expect(4);
    assert_eq!(refused.json()["error"]["code"], "wrong_phase");
    room.execute("DELETE FROM strongroom_history WHERE number >= 3");
    assert_ne!(room.run(&["migrate", "up", "--yes"]).code, 0);
    assert_ne!(room.run(&["migrate", "down", "--to", "1", "--yes"]).code, 0);
    assert_eq!(room.query_cells(), cells);
}
