//! Inspects a table before its first change. Reads only.
//!
//! Promises: an object that a step would destroy, fire or break is carried (step 1 removes it and records the SQL that
//! restores it) or is named as an obstacle.
//!
//! Does not promise: functions and programs that name the table in texts of their own; the place of a column among the
//! others on PostgreSQL.

mod mysql;
mod postgres;
mod rename;
mod sqlite;

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_migration::{Engine, Limit};

use crate::db::{is_unreachable, statement};

/// A table that is to be taken over, in its own names.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// The table.
    pub(super) table: String,
    /// Our columns that it has: ours, then theirs.
    pub(super) matched: Vec<(&'static str, String)>,
    /// Our columns that it lacks.
    pub(super) added: Vec<String>,
}

/// The columns whose plaintext goes.
pub(super) const SEALED: [&str; 2] = ["access_key", "secret_key"];
/// The columns that cells are bound to, and that rows are told apart by.
const BOUND: [&str; 4] = ["id", "user_id", "project_id", "type"];

impl Subject {
    /// The sealed columns, ours and theirs.
    fn sealed(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.matched
            .iter()
            .filter(|(ours, _)| SEALED.contains(ours))
            .map(|(ours, theirs)| (*ours, theirs.as_str()))
    }

    /// The columns that get another name: ours, then theirs.
    fn renamed(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.matched
            .iter()
            .filter(|(ours, theirs)| ours != theirs)
            .map(|(ours, theirs)| (*ours, theirs.as_str()))
    }

    fn is_bound(&self, theirs: &str) -> bool {
        self.matched
            .iter()
            .any(|(ours, it)| BOUND.contains(ours) && it.eq_ignore_ascii_case(theirs))
    }
}

/// The result of an inspection.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    /// Objects that a step would lose, break or fire, by name.
    pub(super) obstacles: Vec<String>,
    /// Objects that step 1 removes and its way back restores, by name.
    pub(super) carried: Vec<String>,
    /// See [`Adoption::detach`](strongroom_migration::Adoption::detach).
    pub(super) detach: Vec<String>,
    /// See [`Adoption::attach`](strongroom_migration::Adoption::attach).
    pub(super) attach: Vec<String>,
    /// See [`Adoption::rebuild`](strongroom_migration::Adoption::rebuild).
    pub(super) rebuild: Option<(String, String)>,
    /// See [`Adoption::limits`](strongroom_migration::Adoption::limits).
    pub(super) limits: Vec<Limit>,
    /// See [`Adoption::casts`](strongroom_migration::Adoption::casts).
    pub(super) casts: Vec<(String, String)>,
}

impl Form {
    fn obstacle(&mut self, what: impl Into<String>) {
        self.obstacles.push(what.into());
    }
}

/// Inspects a table that is to be adopted.
pub(super) async fn inspect(
    db: &impl ConnectionTrait,
    engine: Engine,
    subject: &Subject,
) -> Result<Form, DbErr> {
    match engine {
        Engine::Postgres => postgres::inspect(db, subject).await,
        Engine::Sqlite => sqlite::inspect(db, subject).await,
        Engine::MySql | Engine::MariaDb => mysql::inspect(db, engine, subject).await,
    }
}

/// Names foreign triggers that an UPDATE runs, because sealing, rolling and opening are UPDATEs.
pub async fn foreign_triggers(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
) -> Result<Vec<String>, DbErr> {
    let names = match engine {
        Engine::Sqlite => return sqlite::update_triggers(db, table).await,
        Engine::Postgres => {
            let sql = "SELECT tgname::text AS what FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident($1)) AND NOT tgisinternal \
                       AND NOT starts_with(tgname, 'strongroom_') AND tgenabled <> 'D' AND tgtype & 16 <> 0 ORDER BY tgname";
            texts(db, sql, &[table]).await?
        }
        Engine::MySql | Engine::MariaDb => {
            let sql = "SELECT trigger_name AS what FROM information_schema.triggers WHERE event_object_schema = DATABASE() \
                       AND event_object_table = $1 AND event_manipulation = 'UPDATE' AND trigger_name NOT LIKE 'strongroom!_%' ESCAPE '!' \
                       ORDER BY trigger_name";
            texts(db, sql, &[table]).await?
        }
    };
    Ok(names.iter().map(|name| format!("trigger `{name}` of table `{table}`")).collect())
}

/// Names a table of another owner, because PostgreSQL lets only owners drop it.
pub async fn not_owned(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
) -> Result<Vec<String>, DbErr> {
    if engine != Engine::Postgres {
        return Ok(Vec::new());
    }
    let sql = "SELECT 'table `' || relname || '` belongs to `' || pg_get_userbyid(relowner) || '`, whose rights this login does not have' AS what \
               FROM pg_class WHERE oid = to_regclass(quote_ident($1)) AND NOT pg_has_role(relowner, 'USAGE')";
    texts(db, sql, &[table]).await
}

/// Names views and foreign keys of others that depend on a table.
pub async fn dependents(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
) -> Result<Vec<String>, DbErr> {
    match engine {
        Engine::Postgres => postgres::dependents(db, table).await,
        Engine::Sqlite => sqlite::dependents(db, table).await,
        Engine::MySql | Engine::MariaDb => mysql::dependents(db, table).await,
    }
}

/// Names foreign objects that depend on columns.
pub async fn column_dependents(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
    columns: &[&str],
) -> Result<Vec<String>, DbErr> {
    let mut found = Vec::new();
    for column in columns {
        found.extend(match engine {
            Engine::Postgres => postgres::column_dependents(db, table, column).await?,
            Engine::Sqlite => sqlite::column_dependents(db, table, column).await?,
            Engine::MySql | Engine::MariaDb => mysql::column_dependents(db, table, column).await?,
        });
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Whether every value of a column can be converted to this type, as a change of the column type requires.
pub async fn fits(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
    column: &str,
    kind: &str,
) -> Result<bool, DbErr> {
    let (table, column) = (engine.quoted(table), engine.quoted(column));
    // PostgreSQL fails at the first value that cannot be converted; on the other engines the type is always JSON.
    let sql = if engine == Engine::Postgres {
        format!("SELECT 0 * count({column}::{kind}) AS found FROM {table}")
    } else {
        format!(
            "SELECT count(*) AS found FROM {table} WHERE {column} IS NOT NULL AND NOT json_valid({column})"
        )
    };
    match query(db, &sql, &[]).await {
        Ok(rows) => {
            let found = rows.first().map_or(Ok(0), |row| row.try_get::<i64>("", "found"))?;
            Ok(found == 0)
        }
        Err(error) if is_unreachable(&error) => Err(error),
        Err(_) => Ok(false),
    }
}

async fn query(
    db: &impl ConnectionTrait,
    sql: &str,
    values: &[&str],
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(statement(
        db.get_database_backend(),
        sql,
        values.iter().map(|value| (*value).into()),
    ))
    .await
}

/// The column `what` of each row.
async fn texts(
    db: &impl ConnectionTrait,
    sql: &str,
    values: &[&str],
) -> Result<Vec<String>, DbErr> {
    query(db, sql, values).await?.iter().map(|row| required(row, "what")).collect()
}

/// The catalogue's texts come as bytes from some servers.
fn text(row: &QueryResult, name: &str) -> Result<Option<String>, DbErr> {
    row.try_get::<Option<String>>("", name).or_else(|_| {
        let bytes = row.try_get::<Option<Vec<u8>>>("", name)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    })
}

fn required(row: &QueryResult, name: &str) -> Result<String, DbErr> {
    Ok(text(row, name)?.unwrap_or_default())
}

/// A text in single quotes.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
