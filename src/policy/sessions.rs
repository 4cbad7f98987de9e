//! The sessions of a login. Closing an account, or taking its role, ends none of them.

use sea_orm::ConnectionTrait;
use strongroom_migration::Engine;

use super::GrantError;
use crate::db::{is_forbidden, statement};

/// Their server-side ids. On Galera: those of this node only.
pub(crate) async fn of(
    db: &impl ConnectionTrait,
    engine: Engine,
    login: &str,
) -> Result<Vec<String>, GrantError> {
    let sql = match engine {
        Engine::Sqlite => return Ok(Vec::new()),
        Engine::Postgres => "SELECT pid::text AS id FROM pg_stat_activity WHERE usename = $1",
        Engine::MySql => {
            "SELECT CAST(PROCESSLIST_ID AS CHAR) AS id FROM performance_schema.threads WHERE PROCESSLIST_USER = $1"
        }
        Engine::MariaDb => {
            "SELECT CAST(ID AS CHAR) AS id FROM information_schema.processlist WHERE USER = $1"
        }
    };
    let rows = db.query_all_raw(statement(db.get_database_backend(), sql, [login.into()])).await.map_err(|error| {
        let cause = "seeing another login's sessions takes SELECT on performance_schema.threads on MySQL, PROCESS on MariaDB";
        if is_forbidden(&error) { GrantError::Forbidden { sql: sql.to_owned(), cause: cause.to_owned() } } else { error.into() }
    })?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
}

/// Ends them; how many there were.
pub(crate) async fn end(
    db: &impl ConnectionTrait,
    engine: Engine,
    login: &str,
) -> Result<usize, GrantError> {
    let sessions = of(db, engine, login).await?;
    kill(db, engine, &sessions).await?;
    Ok(sessions.len())
}

/// Ends sessions by their ids. One that ended by itself meanwhile is as good.
pub(crate) async fn kill(
    db: &impl ConnectionTrait,
    engine: Engine,
    sessions: impl IntoIterator<Item = &String>,
) -> Result<(), GrantError> {
    for id in sessions {
        let kill = match engine {
            Engine::Postgres => format!("SELECT pg_terminate_backend({id})"),
            _ => format!("KILL {id}"),
        };
        if let Err(error) = db.execute_unprepared(&kill).await {
            if is_forbidden(&error) {
                let cause = "ending another login's sessions takes pg_signal_backend on PostgreSQL, CONNECTION_ADMIN elsewhere";
                return Err(GrantError::Forbidden { sql: kill, cause: cause.to_owned() });
            }
            tracing::debug!(%error, "a session was gone before it was ended");
        }
    }
    Ok(())
}
