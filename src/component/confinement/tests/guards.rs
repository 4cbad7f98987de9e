use sea_orm::sqlx::{self, Connection as _, SqliteConnection};

use super::{Answer, answer, component, confined, narrow, rights, run, value};
use crate::component::confinement::{Rules, confine};

#[tokio::test]
async fn who_may_delete_and_insert_may_replace() {
    let deletes = component([("t", rights(&["id", "a"], &["id", "a"], &["a"], true))]);
    for sql in [
        "REPLACE INTO t (id, a) VALUES ('1', 'new')",
        "UPDATE OR REPLACE t SET a = 'two' WHERE id = '1'",
    ] {
        assert_eq!(answer(&deletes, sql).await, Answer::Done, "{sql}");
    }
    assert_eq!(
        answer(&deletes, "REPLACE INTO t (id, secret) VALUES ('1', 's')").await,
        Answer::Guarded
    );
}

#[tokio::test]
async fn a_row_in_the_way_survives_a_schema_that_replaces() {
    let inserts = component([("u", rights(&["id", "a"], &["id", "a"], &[], false))]);
    let owner = "CREATE TABLE u (id TEXT PRIMARY KEY ON CONFLICT REPLACE, a TEXT); INSERT INTO u VALUES ('1', 'one')";
    let mut connection = confined(&inserts, owner).await;
    assert_eq!(run(&mut connection, "INSERT INTO u VALUES ('1', 'new')").await, Answer::Guarded);
    assert_eq!(value(&mut connection, "SELECT a FROM u").await, "one");
}

#[tokio::test]
async fn guards_cannot_be_removed() {
    let mut connection = confined(&narrow(), "").await;
    for name in ["DELETE t", "INSERT t"] {
        let drop = [b"DROP TRIGGER \"\xffstrongroom ", name.as_bytes(), b"\""].concat();
        let mut handle = connection.lock_handle().await.unwrap();
        let refused =
            super::super::authorizer::execute(&mut handle, &std::ffi::CString::new(drop).unwrap());
        assert!(refused.unwrap_err().to_string().ends_with("error 23"), "{name}");
    }
    assert_eq!(
        run(&mut connection, "REPLACE INTO t (id, a) VALUES ('1', 'new')").await,
        Answer::Guarded
    );
    assert!(
        confine(&mut connection, Rules::of(&narrow())).await.is_err(),
        "nor is it confined anew"
    );
}

#[tokio::test]
async fn the_default_may_be_given_by_name() {
    for sql in
        ["INSERT INTO t (id, secret) VALUES ('3', 'none')", "INSERT INTO t (id, b) VALUES ('3', 5)"]
    {
        assert_eq!(answer(&narrow(), sql).await, Answer::Done, "{sql}");
    }
    assert_eq!(
        answer(&narrow(), "INSERT INTO t (id, secret) VALUES ('3', 'NONE')").await,
        Answer::Guarded
    );
}

#[tokio::test]
async fn a_random_default_is_a_known_limit() {
    assert_eq!(
        answer(&narrow(), "INSERT INTO t (id, nonce) VALUES ('3', x'00')").await,
        Answer::Done
    );
}

#[tokio::test]
async fn defaults_of_every_kind_are_left_to_the_table() {
    let inserts = component([("d", rights(&["a"], &["a"], &[], false))]);
    let owner =
        "CREATE TABLE d (id INTEGER PRIMARY KEY, a TEXT, n, i INTEGER DEFAULT '7', j int DEFAULT '7.5', k INT DEFAULT 'x',
        r REAL DEFAULT 2, s varchar(9) DEFAULT 12, q TEXT COLLATE NOCASE DEFAULT \"it's\", m DEFAULT -1, h BLOB DEFAULT x'00ff',
        f boolean DEFAULT TRUE, z TEXT NOT NULL DEFAULT 'it''s', c timestamp DEFAULT CURRENT_TIMESTAMP, e DEFAULT (1 + 2),
        \"odd \"\" name\" TEXT DEFAULT 'o', g AS (a || 'g'))";
    let mut connection = confined(&inserts, owner).await;
    for sql in [
        "INSERT INTO d (a) VALUES ('x'), ('y')",
        "INSERT INTO d (a) SELECT a || 'z' FROM d",
        "INSERT INTO d DEFAULT VALUES",
    ] {
        assert_eq!(run(&mut connection, sql).await, Answer::Done, "{sql}");
    }
    for sql in [
        "INSERT INTO d (id) VALUES (77)",
        "INSERT INTO d (rowid) VALUES (77)",
        "INSERT INTO d (c) VALUES ('2020-01-01')",
        "INSERT INTO d (q) VALUES ('IT''S')",
        "INSERT INTO d (i) VALUES (8)",
        "INSERT INTO d (n) VALUES (0)",
        "INSERT INTO d (\"odd \"\" name\") VALUES (0)",
        "INSERT INTO d (e) VALUES (NULL)",
    ] {
        assert_eq!(run(&mut connection, sql).await, Answer::Guarded, "{sql}");
    }
}

#[tokio::test]
async fn a_table_without_row_numbers_is_guarded_too() {
    let inserts = component([("w", rights(&["id"], &["id"], &["a"], false))]);
    let mut connection =
        confined(&inserts, "CREATE TABLE w (id INTEGER PRIMARY KEY, a TEXT) WITHOUT ROWID").await;
    assert_eq!(run(&mut connection, "INSERT INTO w (id) VALUES (1)").await, Answer::Done);
    assert_eq!(run(&mut connection, "REPLACE INTO w (id) VALUES (1)").await, Answer::Guarded);
    assert_eq!(
        run(&mut connection, "INSERT INTO w (id, a) VALUES (2, 'a')").await,
        Answer::Guarded
    );
}

#[tokio::test]
async fn a_missing_table_and_a_view_have_no_guards() {
    let some = || rights(&["id"], &["id"], &["id"], false);
    let mut connection =
        confined(&component([("gone", some()), ("seen", some()), ("t", some())]), "").await;
    assert_eq!(run(&mut connection, "INSERT INTO t (id) VALUES ('3')").await, Answer::Done);
}

/// UTF-16 has no place for the byte that guards are known by, so a guard may not look at the row.
#[tokio::test]
async fn in_a_database_in_utf_16_a_guarded_table_takes_no_rows() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql("PRAGMA encoding = 'UTF-16le'").execute(&mut connection).await.unwrap();
    sqlx::raw_sql(super::SCHEMA).execute(&mut connection).await.unwrap();
    confine(&mut connection, Rules::of(&narrow())).await.unwrap();
    assert_eq!(run(&mut connection, "INSERT INTO t (id) VALUES ('3')").await, Answer::Unauthorized);
    let forged = "WITH \"\u{fffd}strongroom INSERT t\" AS (SELECT secret FROM t) SELECT secret FROM \"\u{fffd}strongroom INSERT t\"";
    assert_eq!(run(&mut connection, forged).await, Answer::Unauthorized);
    assert_eq!(
        run(&mut connection, "UPDATE OR REPLACE t SET a = 'two' WHERE id = '1'").await,
        Answer::Guarded
    );
}

/// As on PostgreSQL; and a forged name would be as good as a trigger's.
#[tokio::test]
async fn a_trigger_of_the_schema_needs_the_components_rights() {
    let owner =
        "CREATE TRIGGER log AFTER UPDATE ON t BEGIN INSERT INTO other (x) VALUES (NEW.secret); END";
    let mut connection = confined(&narrow(), owner).await;
    assert_eq!(
        run(&mut connection, "UPDATE t SET a = 'x' WHERE id = '1'").await,
        Answer::Unauthorized
    );
}

#[tokio::test]
async fn a_cascade_needs_the_components_rights_in_the_other_table() {
    let owner = "CREATE TABLE child (id TEXT REFERENCES t ON DELETE CASCADE); INSERT INTO child VALUES ('1')";
    let parent = || ("t", rights(&["id"], &[], &[], true));
    let mut connection = confined(&component([parent()]), owner).await;
    assert_eq!(run(&mut connection, "DELETE FROM t WHERE id = '1'").await, Answer::Unauthorized);
    let mut connection =
        confined(&component([parent(), ("child", rights(&["id"], &[], &[], true))]), owner).await;
    assert_eq!(run(&mut connection, "DELETE FROM t WHERE id = '1'").await, Answer::Done);
}

#[tokio::test]
async fn guards_outlive_a_schema_change_of_another_connection() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}?mode=rwc", dir.path().join("t.db").display());
    let mut owner = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(super::SCHEMA).execute(&mut owner).await.unwrap();
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    confine(&mut connection, Rules::of(&narrow())).await.unwrap();
    let rebuild = "DROP VIEW seen; CREATE TABLE u (id TEXT PRIMARY KEY, a TEXT UNIQUE, secret TEXT DEFAULT 'none', b DEFAULT 5, made DEFAULT 0);
        INSERT INTO u SELECT id, a, secret, b, made FROM t; DROP TABLE t; ALTER TABLE u RENAME TO t";
    sqlx::raw_sql(rebuild).execute(&mut owner).await.unwrap();
    for sql in [
        "REPLACE INTO t (id, a) VALUES ('1', 'new')",
        "INSERT INTO t (id, secret) VALUES ('3', 's')",
    ] {
        assert_eq!(run(&mut connection, sql).await, Answer::Guarded, "{sql}");
    }
}

/// A guard of the schema reads keys for each writer. A statement that uses its name does not run.
#[tokio::test]
async fn key_guard_reads_keys_and_its_name_opens_them_to_no_statement() {
    let owner = "CREATE TABLE strongroom_key (id INTEGER PRIMARY KEY, wrapped BLOB); INSERT INTO strongroom_key VALUES (7, x'07'); \
                 CREATE TRIGGER strongroom_5_key_insert_t BEFORE INSERT ON t \
                 WHEN NOT EXISTS (SELECT 1 FROM strongroom_key WHERE id = new.a AND wrapped <> x'') \
                 BEGIN SELECT RAISE(ABORT, 'no key'); END;";
    let mut connection = confined(&narrow(), owner).await;
    let insert = "INSERT INTO t (id, a) VALUES ('3', '7')";
    assert_eq!(run(&mut connection, insert).await, Answer::Done);
    let refused = "INSERT INTO t (id, a) VALUES ('4', '8')";
    assert_eq!(run(&mut connection, refused).await, Answer::Guarded);
    for forged in [
        "WITH strongroom_5_key_x AS (SELECT wrapped FROM strongroom_key) SELECT wrapped FROM strongroom_5_key_x",
        "WITH \"STRONGROOM_5_KEY_insert_t\" AS MATERIALIZED (SELECT wrapped FROM strongroom_key) SELECT * FROM \"STRONGROOM_5_KEY_insert_t\"",
        "SELECT wrapped FROM (WITH [strongroom_5_Key_] AS (SELECT * FROM strongroom_key) SELECT * FROM [strongroom_5_Key_])",
    ] {
        assert_eq!(run(&mut connection, forged).await, Answer::Stopped, "{forged}");
    }
    let plain = "SELECT wrapped FROM strongroom_key";
    assert_eq!(run(&mut connection, plain).await, Answer::Unauthorized);
}
