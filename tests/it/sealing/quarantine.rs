//! Rows of a program's own table that do not open: listed, exported whole, opened by the script, discarded.

use std::process::Command;

use serde_json::{Value, json};

use super::*;
use crate::break_glass::{open_document, python, script};
use crate::support::{Ran, until};

on_every_engine!(
    every_kind_of_owner_is_exported_and_opened_by_the_script,
    a_row_that_does_not_open_is_discarded,
    a_row_that_changes_meanwhile_stays,
    what_may_be_lost_is_not_discarded,
    a_row_that_is_in_the_way_back_is_discarded,
);

/// Puts cells on the list by hand: what is exported does not depend on why.
fn list(host: &Host, row: &str, column: &str) {
    let sql = "INSERT INTO strongroom_quarantine (table_name, row_id, column_name, reason, run) VALUES ('api_token', $1, $2, 'corrupt', '-')";
    host.room.try_execute(sql, vec![row.into(), column.into()]).unwrap();
}

fn exported(host: &Host) -> Vec<Value> {
    host.room.json(&["keys", "quarantine", "export"])["quarantined"].as_array().unwrap().clone()
}

fn every_kind_of_owner_is_exported_and_opened_by_the_script(engine: Engine) {
    let host = Host::new(engine);
    host.room.execute(&by_uuid(engine));
    let insert =
        "INSERT INTO api_token (id, number, account, token, note) VALUES ($1, $2, $3, $4, $5)";
    let rows: Vec<_> = [(Some(-1_i64), true), (Some(i64::MAX), false), (None, true)]
        .into_iter()
        .enumerate()
        .map(|(n, (number, has_account))| {
            (
                Uuid::from_u128(7 + n as u128),
                number,
                has_account.then(Uuid::new_v4),
                format!("tökén-{n}"),
                format!("note {n}"),
            )
        })
        .collect();
    for (id, number, account, token, note) in &rows {
        let values = vec![
            (*id).into(),
            (*number).into(),
            sea_orm::Value::Uuid(*account),
            token.into(),
            note.into(),
        ];
        host.room.try_execute(insert, values).unwrap();
    }
    host.bring(BY_UUID, Phase::Sealed);
    host.room.run(&["keys", "rotate"]).expect(0);
    for row in &rows {
        list(&host, &row.0.to_string(), "token_sealed");
        list(&host, &row.0.to_string(), "note_sealed");
    }
    list(&host, &Uuid::from_u128(99).to_string(), "token_sealed");
    let doctor = host.room.run(&["doctor"]);
    assert!(
        doctor.out.contains(&format!("{} cells do not open", 2 * rows.len() + 1)),
        "{}",
        doctor.out
    );
    let cells = exported(&host);
    assert_eq!(
        cells.iter().filter(|cell| cell["sealed"].is_null()).count(),
        1,
        "of the row that is not there"
    );
    for (id, number, account, token, note) in &rows {
        for (column, label, value) in
            [("token_sealed", "api_token.token", token), ("note_sealed", "api_token.note", note)]
        {
            let cell = cells
                .iter()
                .find(|cell| cell["id"] == id.to_string() && cell["column"] == column)
                .unwrap();
            let mut sealed = cell["sealed"].clone();
            assert_eq!((&sealed["label"], &sealed["scope"]), (&json!(label), &json!("number")));
            assert_eq!(sealed["owners"], json!({ "number": number, "account": account }));
            assert_eq!(&open_document(&host.room, &sealed).expect(0).out, value);
            if engine == Engine::Sqlite {
                assert_eq!(
                    &open_in_the_database(&host, &id.to_string(), column).expect(0).out,
                    value
                );
            }
            sealed["owners"]["account"] = json!(Uuid::new_v4());
            assert_eq!(open_document(&host.room, &sealed).code, 1, "another account's");
            sealed["owners"] =
                json!({ "number": number.unwrap_or_default() - 1, "account": account });
            assert!(open_document(&host.room, &sealed).expect(1).err.contains("another scope"));
        }
    }
}

fn open_in_the_database(host: &Host, id: &str, column: &str) -> Ran {
    let mut command = Command::new(python());
    command.arg(script()).arg("--key").arg(host.room.key_file()).current_dir(host.room.path());
    command.args([
        "--sqlite",
        "strongroom.db",
        "--table",
        "api_token",
        "--id",
        id,
        "--column",
        column,
    ]);
    Ran::of(command.output().unwrap())
}

/// The cell of `donor`, where it does not belong.
fn misplace(host: &Host, row: &str, donor: &str) {
    let cell = format!("SELECT note_sealed AS cell FROM api_token WHERE id = '{donor}'");
    host.room.execute(&format!(
        "UPDATE api_token SET token_sealed = (SELECT cell FROM ({cell}) donor) WHERE id = '{row}'"
    ));
}

fn a_row_that_does_not_open_is_discarded(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Sealed);
    let good = host.room.bytes("SELECT token_sealed FROM api_token WHERE id = 'row-0002'");
    for (row, donor) in
        [("row-0001", "row-0004"), ("row-0002", "row-0004"), ("row-0003", "row-0004")]
    {
        misplace(&host, row, donor);
    }
    host.room.run(&["keys", "rotate"]).expect(3);
    // What was moved opens where it came from.
    let cell = exported(&host).into_iter().find(|cell| cell["id"] == "row-0001").unwrap()["sealed"]
        .clone();
    assert_eq!(open_document(&host.room, &cell).code, 1);
    assert_eq!(cell["owners"], json!({ "tenant": "tenant-1" }));

    host.room
        .try_execute(
            "UPDATE api_token SET token_sealed = $1 WHERE id = 'row-0002'",
            vec![good.into()],
        )
        .unwrap();
    host.room.execute("DELETE FROM api_token WHERE id = 'row-0003'");
    list(&host, "row-0005", "token_sealed");
    host.room.execute("INSERT INTO strongroom_quarantine (table_name, row_id, column_name, reason, run) VALUES ('credential', 'row-0001', 'secret_key_sealed', 'corrupt', '-')");
    let discard = |row: &str, more: &[&str]| {
        host.room.run(
            &[&["keys", "quarantine", "discard", "--id", row, "--format", "json"], more].concat(),
        )
    };
    assert_eq!(discard("row-0001", &["--yes"]).expect(2).json()["error"]["code"], "ambiguous");
    assert_eq!(
        discard("row-0001", &["--yes", "--table", "another"]).expect(1).json()["error"]["code"],
        "not_in_quarantine"
    );
    let of = ["--table", "api_token"];
    let asked =
        discard("row-0001", &of).expect(4).json()["error"]["message"].as_str().unwrap().to_owned();
    let said = [
        "removes row row-0001 of table api_token",
        "token_sealed does not open",
        "note_sealed opens, and goes with it",
    ];
    assert!(said.iter().all(|it| asked.contains(it)), "{asked}");
    assert_eq!(host.room.number("SELECT count(*) FROM api_token"), 299, "nothing was removed");
    assert_eq!(
        discard("row-0001", &["--yes", "--table", "api_token"]).expect(0).json()["discarded"],
        true
    );
    // Repaired, gone, and good all the time.
    for row in ["row-0002", "row-0003", "row-0005"] {
        assert_eq!(discard(row, &[]).expect(0).json()["discarded"], false, "{row}");
    }
    assert_eq!(host.room.number("SELECT count(*) FROM api_token WHERE id = 'row-0001'"), 0);
    assert_eq!(host.room.number("SELECT count(*) FROM api_token"), 298);
    let left = host.room.json(&["keys", "quarantine", "list"])["quarantined"].clone();
    assert_eq!(left.as_array().unwrap().len(), 1, "the credential's own: {left}");
    host.room.run(&["keys", "rotate"]).expect(0);
    host.room.run(&["keys", "verify"]).expect(0);
}

fn a_row_that_changes_meanwhile_stays(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Sealed);
    let good =
        hex::encode(host.room.bytes("SELECT token_sealed FROM api_token WHERE id = 'row-0001'"));
    misplace(&host, "row-0001", "row-0004");
    host.room.run(&["keys", "rotate"]).expect(3);
    let repair =
        format!("UPDATE api_token SET token_sealed = {} WHERE id = 'row-0001'", host.bytes(&good));
    let repaired = host.room.hold(&repair);
    let running = host.room.start(&[
        "keys",
        "quarantine",
        "discard",
        "--id",
        "row-0001",
        "--yes",
        "--format",
        "json",
    ]);
    if engine != Engine::Sqlite {
        until("the run lock is taken", || {
            host.room.number("SELECT count(*) FROM strongroom_lock WHERE holder <> ''") == 1
        });
    }
    std::thread::sleep(Duration::from_secs(2));
    block_on(repaired.commit()).unwrap();
    assert_eq!(running.finish().expect(1).json()["error"]["code"], "changed");
    assert_eq!(host.room.number("SELECT count(*) FROM api_token"), 300);
    let again = host
        .room
        .run(&["keys", "quarantine", "discard", "--id", "row-0001", "--format", "json"])
        .expect(0);
    assert_eq!(again.json()["discarded"], false);
}

fn what_may_be_lost_is_not_discarded(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Filled);
    list(&host, "row-0001", "token_sealed"); // there is no cell that does not open
    let discard = || {
        let ran = host.room.run(&[
            "keys",
            "quarantine",
            "discard",
            "--id",
            "row-0001",
            "--yes",
            "--format",
            "json",
        ]);
        ran.expect(4).json()["error"]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(discard(), "plaintext_counts");
    host.bring(TABLE, Phase::Sealed);
    // Put back from a time before the roll, when the generation that it is sealed under is retired.
    let old = host.room.bytes("SELECT token_sealed FROM api_token WHERE id = 'row-0001'");
    host.room.run(&["keys", "rotate"]).expect(0);
    host.room.run(&["keys", "retire", "1", "--yes"]).expect(0);
    host.room
        .try_execute(
            "UPDATE api_token SET token_sealed = $1 WHERE id = 'row-0001'",
            vec![old.into()],
        )
        .unwrap();
    list(&host, "row-0001", "token_sealed");
    assert_eq!(discard(), "retired_key");

    misplace(&host, "row-0001", "row-0004");
    host.room.execute(
        "CREATE TABLE child (token_id varchar(64), FOREIGN KEY (token_id) REFERENCES api_token (id) ON DELETE CASCADE); \
         INSERT INTO child (token_id) VALUES ('row-0001')",
    );
    assert_eq!(discard(), "takes_along");
    assert_eq!(host.room.number("SELECT count(*) FROM api_token"), 300, "nothing was removed");
    host.room.execute("DROP TABLE child");
    host.room.run(&["keys", "quarantine", "discard", "--id", "row-0001", "--yes"]).expect(0);
    assert_eq!(host.room.number("SELECT count(*) FROM api_token"), 299);
    list(&host, "row-0002", "token_sealed");
    host.room.execute("UPDATE strongroom_quarantine SET table_name = 'another'");
    let unknown = host
        .room
        .run(&["keys", "quarantine", "discard", "--id", "row-0002", "--format", "json"])
        .expect(4);
    assert_eq!(unknown.json()["error"]["code"], "not_described");
}

fn a_row_that_is_in_the_way_back_is_discarded(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Sealed);
    misplace(&host, "row-0001", "row-0004");
    host.try_bring(TABLE, Phase::Plain).unwrap_err();
    // Its plaintext is put back by now.
    let good = host.room.bytes("SELECT token_sealed FROM api_token WHERE id = 'row-0002'");
    misplace(&host, "row-0002", "row-0004");
    list(&host, "row-0002", "token_sealed");
    let discard = |row: &str| {
        host.room.run(&["keys", "quarantine", "discard", "--id", row, "--yes", "--format", "json"])
    };
    assert_eq!(discard("row-0002").expect(4).json()["error"]["code"], "plaintext_counts");
    assert_eq!(discard("row-0001").expect(0).json()["discarded"], true);
    host.room
        .try_execute(
            "UPDATE api_token SET token_sealed = $1 WHERE id = 'row-0002'",
            vec![good.into()],
        )
        .unwrap();
    host.bring(TABLE, Phase::Plain);
    let left: Vec<_> = tokens().into_iter().filter(|row| row.0 != "row-0001").collect();
    assert_eq!(host.rows(), left);
}
