//! What a server holds: our accounts and all that belongs to them, and what others hold on what is ours.
//!
//! Reads only. On MySQL and MariaDB it needs SELECT on `mysql.*`.

mod mysql;
mod postgres;
mod server_id;

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use strongroom_migration::Engine;

use super::Policy;
use super::drift::Drift;
use super::model::Catalog;
use super::names::Names;
use super::state::{Object, State};
use super::wanted::Target;
use crate::db::statement;

pub use server_id::server_id;

/// What was found.
#[derive(Debug, Default)]
pub struct Inspected {
    /// Of our accounts.
    pub state: State,
    /// Of others, and beyond what the policy's changes can mend.
    pub foreign: Vec<Drift>,
    /// Databases that accounts of ours have grants on and that are gone: MySQL and MariaDB keep such grants.
    pub gone: BTreeSet<String>,
    /// What everybody may do, whatever a policy says: stated, and never changed.
    pub baseline: Vec<String>,
}

/// Looks at everything that belongs to a database's components, and to the tables of its policy.
pub(super) async fn inspect(
    db: &impl ConnectionTrait,
    target: &Target,
    policy: &Policy,
) -> Result<Inspected, DbErr> {
    match target.engine {
        Engine::Sqlite => Ok(Inspected::default()),
        Engine::Postgres => postgres::inspect(db, target, policy).await,
        Engine::MySql | Engine::MariaDb => mysql::inspect(db, target, policy).await,
    }
}

/// Where this connection's tables are.
pub(crate) async fn target(db: &impl ConnectionTrait, names: Names) -> Result<Target, DbErr> {
    let engine = Engine::of(db).await?;
    let sql = match engine {
        Engine::Sqlite => {
            let (database, schema) = ("main".into(), "main".into());
            return Ok(Target {
                engine,
                version: 0,
                looks_at_passwords: false,
                database,
                schema,
                names,
            });
        }
        Engine::Postgres => {
            "SELECT current_database()::text AS d, current_schema()::text AS s, current_setting('server_version_num')::int / 10000 AS v"
        }
        _ => "SELECT DATABASE() AS d, DATABASE() AS s",
    };
    let row = one(db, sql, []).await?;
    let version =
        if engine == Engine::Postgres { row.try_get::<i32>("", "v")?.unsigned_abs() } else { 0 };
    let looks_at_passwords = engine == Engine::MariaDb && looks_at_passwords(db).await?;
    Ok(Target {
        engine,
        version,
        looks_at_passwords,
        database: row.try_get("", "d")?,
        schema: row.try_get("", "s")?,
        names,
    })
}

/// MariaDB's plugins for password rules cannot look into a hash, and by default the server then refuses one.
async fn looks_at_passwords(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let sql = "SELECT CAST(count(*) AS CHAR) AS n FROM information_schema.plugins WHERE plugin_type = 'PASSWORD VALIDATION' \
               AND plugin_status = 'ACTIVE' AND @@strict_password_validation = 1";
    Ok(one(db, sql, []).await?.try_get::<String>("", "n")? != "0")
}

/// The tables and views of the database's own schema, and their columns.
pub(super) async fn catalog(db: &impl ConnectionTrait, engine: Engine) -> Result<Catalog, DbErr> {
    let sql = match engine {
        Engine::Postgres => {
            "SELECT c.relname::text AS t, a.attname::text AS c FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
             AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
        }
        Engine::Sqlite => {
            "SELECT m.name AS t, p.name AS c FROM sqlite_master m JOIN pragma_table_info(m.name) p \
             WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, p.cid"
        }
        _ => {
            "SELECT CAST(table_name AS CHAR) AS t, CAST(column_name AS CHAR) AS c FROM information_schema.columns \
             WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
        }
    };
    let mut catalog = Catalog::new();
    for row in all(db, sql, []).await? {
        catalog.entry(row.try_get("", "t")?).or_default().push(row.try_get("", "c")?);
    }
    Ok(catalog)
}

/// Whether a table or column is there; anything else is not asked about.
pub(super) fn exists(catalog: &Catalog, state: &State, target: &Target, object: &Object) -> bool {
    let columns = |schema: &str, table: &str| {
        if schema == target.schema {
            catalog.get(table)
        } else {
            state.views.get(&(schema.to_owned(), table.to_owned()))
        }
    };
    match object {
        Object::Table(schema, table) => columns(schema, table).is_some(),
        Object::Column(schema, table, column) => columns(schema, table)
            .is_some_and(|columns| columns.iter().any(|there| there.eq_ignore_ascii_case(column))),
        _ => true,
    }
}

async fn all<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(statement(db.get_database_backend(), sql, values)).await
}

async fn one<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<QueryResult, DbErr> {
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, values)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the server said nothing of itself".into()))
}
