//! Confined connections, statement by statement.

mod guards;
mod pool;
mod statements;

use sea_orm::sqlx::{self, Connection as _, Row as _, SqliteConnection};

use super::{Rules, confine};
use crate::policy::{Component, TableRights};

const SCHEMA: &str = "
    CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT UNIQUE, secret TEXT DEFAULT 'none', b int DEFAULT '5',
        made timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')), nonce BLOB DEFAULT (randomblob(8)));
    CREATE TABLE other (id INTEGER PRIMARY KEY, x TEXT);
    CREATE VIEW seen AS SELECT id, secret FROM t;
    INSERT INTO t (id, a, secret) VALUES ('1', 'one', 'sesame'), ('2', 'two', 'sesame');
    INSERT INTO other (x) VALUES ('x');
";

/// What became of a statement.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    /// By the authorizer.
    Unauthorized,
    /// By a guard.
    Guarded,
    /// When it started to run.
    Stopped,
    Other(String),
}

impl From<sqlx::Error> for Answer {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .unwrap_or_default()
            .into_owned();
        match code.as_str() {
            "9" => Self::Stopped,
            "23" => Self::Unauthorized,
            "1811" => Self::Guarded,
            _ if error.to_string().contains("not authorized to use function") => Self::Unauthorized,
            _ => Self::Other(error.to_string()),
        }
    }
}

fn rights(select: &[&str], insert: &[&str], update: &[&str], delete: bool) -> TableRights {
    let set = |columns: &[&str]| columns.iter().map(ToString::to_string).collect();
    TableRights { select: set(select), insert: set(insert), update: set(update), delete }
}

fn component(tables: impl IntoIterator<Item = (&'static str, TableRights)>) -> Component {
    let tables = tables.into_iter().map(|(table, rights)| (table.to_owned(), rights)).collect();
    Component { tables, ..Component::default() }
}

/// Reads id and a, gives id and a, changes a.
fn narrow() -> Component {
    component([("T", rights(&["id", "A"], &["id", "a"], &["a"], false))])
}

/// A database of its own, with what the owner made before.
async fn confined(component: &Component, owner: &'static str) -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(SCHEMA).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(owner).execute(&mut connection).await.unwrap();
    confine(&mut connection, Rules::of(component)).await.unwrap();
    connection
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) -> Answer {
    let prepared = sqlx::query(sql).fetch_all(&mut *connection).await;
    prepared.map_or_else(Answer::from, |_| Answer::Done)
}

/// The same on a fresh database, prepared and as bare text; both must be answered alike.
async fn answer(component: &Component, sql: &'static str) -> Answer {
    let prepared = run(&mut confined(component, "").await, sql).await;
    let bare = sqlx::raw_sql(sql).fetch_all(&mut confined(component, "").await).await;
    assert_eq!(bare.map_or_else(Answer::from, |_| Answer::Done), prepared, "{sql}");
    prepared
}

async fn value(connection: &mut SqliteConnection, sql: &'static str) -> String {
    sqlx::query(sql).fetch_one(connection).await.unwrap().get(0)
}
