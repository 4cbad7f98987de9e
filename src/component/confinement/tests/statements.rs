use super::{Answer, answer, component, narrow, rights};

const ALLOWED: &[&str] = &[
    "SELECT id, a FROM t",
    "SELECT ID, \"A\", [t].`a` FROM main.T",
    "SELECT count(*) FROM t",
    "SELECT count(*) FROM (SELECT id FROM t) AS sub_query",
    "SELECT 1 FROM t WHERE a = 'one' ORDER BY id LIMIT 1",
    "SELECT a, count(*) FROM t GROUP BY a HAVING max(id) > '0'",
    "SELECT x.id FROM t AS x JOIN t AS y ON x.a = y.a",
    "SELECT id, row_number() OVER (PARTITION BY a ORDER BY id) FROM t",
    "WITH c AS (SELECT id FROM t) SELECT id FROM c",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
    "SELECT upper(a), datetime('now'), json_extract('{}', '$') FROM t",
    "UPDATE t SET a = 'uno' WHERE id = '1'",
    "UPDATE t SET a = 'uno' WHERE id = '1' RETURNING id, a",
    "UPDATE t SET a = y.a || 'x' FROM t AS y WHERE t.id = y.id",
    "INSERT INTO t (id, a) VALUES ('3', 'three')",
    "INSERT INTO t (id, a) VALUES ('3', 'three') RETURNING id",
    "INSERT INTO t (id, a) SELECT id || 'x', a || 'x' FROM t",
    "INSERT INTO t (id, a) VALUES ('1', 'new') ON CONFLICT DO NOTHING",
    "INSERT INTO t (id, a) VALUES ('1', 'new') ON CONFLICT (id) DO UPDATE SET a = excluded.a",
    "INSERT OR IGNORE INTO t (id, a) VALUES ('1', 'new')",
    "EXPLAIN SELECT a FROM t",
    "EXPLAIN QUERY PLAN SELECT a FROM t",
    "SELECT 1 AS there FROM sqlite_master WHERE type IN ('table', 'view') AND name = 't'",
    "SELECT name FROM sqlite_schema",
];

const READING: &[&str] = &[
    "SELECT secret FROM t",
    "SELECT * FROM t",
    "SELECT t.* FROM t",
    "SELECT id FROM t WHERE secret = 's'",
    "SELECT id FROM t ORDER BY secret",
    "SELECT count(*) FROM t GROUP BY secret",
    "SELECT a FROM t GROUP BY a HAVING max(secret) > 's'",
    "SELECT (SELECT secret FROM t LIMIT 1)",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM t WHERE secret LIKE 's%')",
    "SELECT id FROM t WHERE id IN (SELECT secret FROM t)",
    "SELECT secret FROM (SELECT * FROM t)",
    "SELECT id FROM t UNION SELECT secret FROM t",
    "WITH c AS (SELECT secret FROM t) SELECT secret FROM c",
    "WITH c AS MATERIALIZED (SELECT secret FROM t) SELECT count(*) FROM c",
    "WITH \"strongroom INSERT t\" AS (SELECT secret FROM t) SELECT secret FROM \"strongroom INSERT t\"",
    "WITH \"\u{ff}strongroom INSERT t\" AS (SELECT secret FROM t) SELECT secret FROM \"\u{ff}strongroom INSERT t\"",
    "WITH RECURSIVE n(s) AS (SELECT secret FROM t UNION SELECT s FROM n) SELECT s FROM n",
    "SELECT x.id FROM t AS x JOIN t AS y ON x.secret = y.secret",
    "SELECT id, row_number() OVER (ORDER BY secret) FROM t",
    "SELECT id, sum(b) FILTER (WHERE secret = 's') OVER () FROM t",
    "SELECT rowid FROM t",
    "SELECT _rowid_ FROM t",
    "SELECT id FROM t WHERE oid = 1",
    "SELECT id FROM seen",
    "SELECT secret FROM seen",
    "SELECT count(*) FROM seen",
    "SELECT x FROM other",
    "SELECT count(*) FROM other",
    "SELECT rowid FROM other",
    "SELECT t.id FROM t, other",
    "EXPLAIN SELECT secret FROM t",
    "EXPLAIN QUERY PLAN SELECT secret FROM t",
    "SELECT sql FROM sqlite_master",
    "SELECT * FROM sqlite_schema",
    "SELECT rootpage FROM main.sqlite_master",
    "SELECT name FROM sqlite_temp_master",
    "SELECT sql FROM temp.sqlite_schema",
    "SELECT value FROM json_each('[1]')",
];

const WRITING: &[&str] = &[
    "UPDATE t SET secret = 's'",
    "UPDATE t SET a = secret",
    "UPDATE t SET a = 'x' WHERE secret = 's'",
    "UPDATE t SET a = 'x' RETURNING secret",
    "UPDATE t SET a = y.secret FROM t AS y",
    "UPDATE t SET id = '9'",
    "UPDATE t SET rowid = 9",
    "UPDATE OR REPLACE t SET secret = 's'",
    "INSERT INTO t (id, a) SELECT id || 'x', secret FROM t",
    "INSERT INTO t (id, a) VALUES ('3', (SELECT secret FROM t LIMIT 1))",
    "INSERT INTO t (id, a) VALUES ('3', 'c') RETURNING secret",
    "INSERT INTO t (id, a) VALUES ('3', 'c') RETURNING *",
    "INSERT INTO t (id, a) VALUES ('1', 'c') ON CONFLICT (id) DO UPDATE SET secret = 's'",
    "INSERT INTO t (id, a) VALUES ('1', 'c') ON CONFLICT (id) DO UPDATE SET a = t.secret",
    "INSERT INTO t (id, a) VALUES ('1', 'c') ON CONFLICT (id) DO UPDATE SET a = 'c' WHERE secret = 's'",
    "INSERT INTO other (x) VALUES ('y')",
    "INSERT INTO seen (id) VALUES ('y')",
    "INSERT INTO sqlite_master (name) VALUES ('y')",
    "DELETE FROM t",
    "DELETE FROM t WHERE id = '1'",
    "DELETE FROM other",
];

const REST: &[&str] = &[
    "ATTACH ':memory:' AS more",
    "DETACH temp",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "PRAGMA recursive_triggers = OFF",
    "PRAGMA recursive_triggers",
    "PRAGMA writable_schema = ON",
    "PRAGMA table_info('t')",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA key = 'x'",
    "SELECT name FROM pragma_table_info('t')",
    "SELECT file FROM pragma_database_list",
    "CREATE TABLE mine (id)",
    "CREATE TABLE mine AS SELECT id FROM t",
    "CREATE TEMP TABLE mine (id)",
    "CREATE INDEX i ON t (secret)",
    "CREATE VIEW v AS SELECT secret FROM t",
    "CREATE TEMP VIEW v AS SELECT secret FROM t",
    "CREATE TRIGGER g AFTER UPDATE ON t BEGIN SELECT 1; END",
    "CREATE TEMP TRIGGER g AFTER UPDATE ON main.t BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    "CREATE VIRTUAL TABLE temp.f USING fts5(x)",
    "ALTER TABLE t RENAME TO u",
    "ALTER TABLE t RENAME COLUMN secret TO a2",
    "ALTER TABLE t ADD COLUMN more",
    "ALTER TABLE t DROP COLUMN b",
    "DROP TABLE t",
    "DROP VIEW seen",
    "REINDEX",
    "REINDEX t",
    "ANALYZE",
    "ANALYZE t",
    "SELECT load_extension('x')",
];

/// Refused by the guards, as SQLite does not ask.
const GUARDED: &[&str] = &[
    "REPLACE INTO t (id, a) VALUES ('1', 'new')",
    "INSERT OR REPLACE INTO t (id, a) VALUES ('1', 'new')",
    "INSERT OR REPLACE INTO t (id, a) VALUES ('3', 'one')",
    "INSERT OR REPLACE INTO t (id, a) SELECT id, a FROM t",
    "INSERT OR REPLACE INTO t (rowid, id, a) VALUES (1, '3', 'c')",
    "UPDATE OR REPLACE t SET a = 'two' WHERE id = '1'",
    "INSERT INTO t (id, a, secret) VALUES ('3', 'c', 's')",
    "INSERT INTO t (id, a, secret) VALUES ('3', 'c', NULL)",
    "INSERT INTO t (id, a, b) VALUES ('3', 'c', 6)",
    "INSERT INTO t (id, a, made) VALUES ('3', 'c', '2020-01-01')",
    "INSERT OR IGNORE INTO t (id, a, secret) VALUES ('3', 'c', 's')",
    "INSERT OR FAIL INTO t (id, a, secret) VALUES ('3', 'c', 's')",
    "INSERT INTO t (id, a, secret) VALUES ('1', 'c', 's') ON CONFLICT (id) DO UPDATE SET a = excluded.secret",
    "WITH c AS (SELECT 's' AS s) INSERT INTO t (id, secret) SELECT '3', s FROM c",
];

/// Not asked about either, and stopped whatever they join.
const BY_NAME: &[&str] = &[
    "SELECT x.id FROM t AS x NATURAL JOIN t AS y",
    "SELECT x.id FROM t AS x JOIN t AS y USING (secret)",
    "SELECT x.id FROM t AS x JOIN t AS y USING (id)",
    "WITH g (secret) AS (VALUES ('sesame')) SELECT t.id FROM t JOIN g USING (secret)",
    "WITH g (secret) AS (VALUES ('x')) SELECT secret FROM g FULL JOIN t USING (secret)",
    "WITH g (x) AS (VALUES ('y')) SELECT x FROM g NATURAL FULL JOIN other",
    "WITH g (x) AS (VALUES ('y')) SELECT (SELECT group_concat(x) FROM g FULL JOIN other USING (x))",
    "INSERT INTO t (id) WITH g (x) AS (VALUES ('y')) SELECT x FROM g FULL JOIN other USING (x)",
    "UPDATE t SET a = (WITH g (x) AS (VALUES ('y')) SELECT max(x) FROM g FULL JOIN other USING (x))",
    "SELECT 'using'",
];

async fn all(statements: &[&'static str], expected: Answer) {
    let mut wrong = Vec::new();
    for &sql in statements {
        let answer = answer(&narrow(), sql).await;
        if answer != expected {
            wrong.push((sql, answer));
        }
    }
    assert!(wrong.is_empty(), "not {expected:?}: {wrong:#?}");
}

#[tokio::test]
async fn what_is_granted_works() {
    all(ALLOWED, Answer::Done).await;
}

#[tokio::test]
async fn no_part_of_a_statement_reads_a_column_that_is_not_granted() {
    all(READING, Answer::Unauthorized).await;
}

#[tokio::test]
async fn no_statement_changes_a_column_or_removes_a_row_that_is_not_granted() {
    all(WRITING, Answer::Unauthorized).await;
}

#[tokio::test]
async fn everything_else_is_refused() {
    all(REST, Answer::Unauthorized).await;
}

#[tokio::test]
async fn guards_refuse_what_sqlite_does_not_ask_about() {
    all(GUARDED, Answer::Guarded).await;
}

#[tokio::test]
async fn joins_by_name_do_not_run() {
    all(BY_NAME, Answer::Stopped).await;
}

#[tokio::test]
async fn a_component_without_rights_does_nothing_even_where_the_policy_names_sqlites_tables() {
    let nobody = component([
        ("sqlite_master", rights(&["sql"], &["sql"], &["sql"], true)),
        ("t", rights(&[], &[], &[], false)),
    ]);
    for sql in [
        "SELECT count(*) FROM t",
        "SELECT sql FROM sqlite_master",
        "UPDATE t SET a = 1",
        "INSERT INTO t DEFAULT VALUES",
    ] {
        assert_eq!(answer(&nobody, sql).await, Answer::Unauthorized, "{sql}");
    }
    assert_eq!(answer(&nobody, "SELECT 1").await, Answer::Done);
}
