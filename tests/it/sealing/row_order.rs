//! Tables whose rows have no rowid, or one that columns hide, are sealed, rolled and opened like others.

use super::*;

const COLUMNS: &str = "tenant_id varchar(64), token varchar(255) NOT NULL, note varchar(500), name varchar(100) NOT NULL";

#[track_caller]
fn there_and_back(made: &str) {
    let host = Host::new(Engine::Sqlite);
    host.room.execute(&made.replace("COLUMNS", COLUMNS));
    host.insert_tokens();
    host.bring(TABLE, Phase::Sealed);
    host.room.run(&["keys", "rotate", "--batch-size", "50"]).expect(0);
    host.room.run(&["keys", "verify"]).expect(0);
    host.room.run(&["keys", "status", "--check"]).expect(0);
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

#[test]
fn a_table_with_an_integer_key_beside_its_id() {
    there_and_back(
        "CREATE TABLE api_token (n INTEGER PRIMARY KEY, id varchar(64) NOT NULL UNIQUE, COLUMNS)",
    );
}

#[test]
fn a_table_with_a_column_that_hides_the_rowid() {
    there_and_back(
        "CREATE TABLE api_token (id varchar(64) NOT NULL PRIMARY KEY, RowId text DEFAULT 'x', COLUMNS)",
    );
}

#[test]
fn a_table_with_columns_that_hide_every_name_of_the_rowid() {
    there_and_back(
        "CREATE TABLE api_token (id varchar(64) NOT NULL PRIMARY KEY, rowid text, oid text, _rowid_ text, COLUMNS)",
    );
}

#[test]
fn a_table_without_rowids() {
    there_and_back(
        "CREATE TABLE api_token (id varchar(64) NOT NULL PRIMARY KEY, COLUMNS) WITHOUT ROWID",
    );
}
