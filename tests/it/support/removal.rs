//! Removes what a test leaves on a server.
//!
//! MySQL and MariaDB show every grant of the server to whoever inspects one database, and MariaDB opens every view: with
//! the accounts of hundreds of tests each inspection takes seconds.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use strongroom_migration::Engine;

use super::engine::{administrator, runtime};

/// Drops a test's database and the accounts of its components, in the background.
pub(super) fn remove(engine: Engine, database: &str, db: DatabaseConnection) {
    let (database, admin) = (database.to_owned(), administrator(engine));
    runtime().spawn(async move {
        // Without a ring there are no accounts.
        let prefix = account_prefix(engine, &db).await;
        let _ = db.close().await;
        // What is still in use stays until the server ends.
        let _ = remove_all(engine, &database, prefix.as_deref(), admin).await;
    });
}

async fn account_prefix(engine: Engine, db: &DatabaseConnection) -> Option<String> {
    let ring = match engine {
        Engine::Postgres => {
            "SELECT encode(substring(ring_id FROM 1 FOR 4), 'hex') FROM strongroom_manifest"
        }
        _ => "SELECT CAST(lower(hex(left(ring_id, 4))) AS CHAR) FROM strongroom_manifest",
    };
    let ring = texts(db, ring.to_owned()).await.ok()?.pop()?;
    Some(format!("sr_{ring}_"))
}

async fn remove_all(
    engine: Engine,
    database: &str,
    prefix: Option<&str>,
    admin: &DatabaseConnection,
) -> Result<(), DbErr> {
    let force = if engine == Engine::Postgres { " WITH (FORCE)" } else { "" };
    admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {database}{force}")).await?;
    let Some(prefix) = prefix else { return Ok(()) };
    for sql in removals(engine, prefix, admin).await? {
        admin.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// The statements that remove everything under a prefix.
async fn removals(
    engine: Engine,
    prefix: &str,
    admin: &DatabaseConnection,
) -> Result<Vec<String>, DbErr> {
    let named = |list: &str| list.replace('?', &format!("'{}%'", prefix.replace('_', "\\_")));
    let all = |what: &str, names: Vec<String>| {
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    if engine == Engine::Postgres {
        let roles =
            texts(admin, named("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname LIKE ?"));
        return Ok(all("DROP ROLE", roles.await?).into_iter().collect());
    }
    let is_role = if engine == Engine::MariaDb { "is_role = 'Y'" } else { "FALSE" };
    let account = "SELECT concat(quote(User), '@', quote(Host)) FROM mysql.user";
    let accounts = texts(admin, named(&format!("{account} WHERE User LIKE ? AND NOT {is_role}")));
    let roles =
        named(&format!("SELECT quote(User) FROM mysql.user WHERE User LIKE ? AND {is_role}"));
    let schemas = "SELECT concat('`', schema_name, '`') FROM information_schema.schemata WHERE schema_name LIKE ?";
    let schemas = texts(admin, named(schemas)).await?;
    let mut statements: Vec<String> =
        schemas.into_iter().map(|schema| format!("DROP DATABASE {schema}")).collect();
    statements.extend(all("DROP USER", accounts.await?));
    statements.extend(all("DROP ROLE", texts(admin, roles).await?));
    Ok(statements)
}

async fn texts(db: &DatabaseConnection, sql: String) -> Result<Vec<String>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
