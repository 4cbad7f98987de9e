//! A real Keystone opens what was exported.

use super::*;

/// The interpreter that `make test` prepares, with Keystone in it.
fn python_with_keystone() -> PathBuf {
    let python = repository().join("target/keystone/bin/python");
    assert!(python.exists(), "no Python with Keystone: run `make keystone`");
    python
}

fn real_keystone(database: &Path, keys: Option<&str>) -> Ran {
    let script = repository().join("tests/keystone_reads.py");
    ran(Command::new(python_with_keystone()).arg(script).arg(database).args(keys)).expect(0)
}

#[test]
fn a_real_keystone_opens_every_row_in_a_table_of_its_own() {
    let (room, keys) = (imported(Engine::Sqlite), keys());
    let database = room.path().join("own.sqlite");
    real_keystone(&database, None);
    let to = format!("sqlite://{}", database.display());
    assert_eq!(room.json(&export(&to, &keys))["exported"], 600);
    let listed = real_keystone(&database, Some(&keys)).json();
    let by_id: BTreeMap<&str, &Value> =
        listed.as_array().unwrap().iter().map(|row| (row["id"].as_str().unwrap(), row)).collect();
    for record in expected() {
        let row = by_id[record["id"].as_str()];
        assert_eq!(
            (&row["user_id"], &row["type"]),
            (&json!(record["user_id"]), &json!(record["type"]))
        );
        assert_eq!(row["project_id"].as_str().unwrap_or_default(), record["project_id"]);
        // A string, as Keystone's API answers with it.
        let text = row["blob"].as_str().unwrap();
        let said =
            if record["type"] == "ec2" { serde_json::from_str(text).unwrap() } else { json!(text) };
        assert_eq!(said, blob(&record));
        assert_eq!(row["under the primary key"], true, "{row}");
    }
    assert_eq!(by_id.len(), 600);
}
