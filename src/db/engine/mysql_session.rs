//! What every session on MySQL and MariaDB must be like.

use sea_orm::sqlx::mysql::MySqlConnection;
use sea_orm::sqlx::{self, Executor as _, Row as _};

use crate::db::Access;

/// Without it a value that is too long is cut and stored, a cell as well.
const STRICT: &str = "STRICT_ALL_TABLES";

/// Strict mode, asserted: something in between may pass the setting over. READ COMMITTED, so that a
/// compare-and-swap meets fewer conflicts. A bound on waiting for a table's lock where the schema changes.
pub(super) async fn prepare(session: &mut MySqlConnection, access: Access) -> Result<(), sqlx::Error> {
    session.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'").await?;
    session.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
    match access {
        Access::Read => session.execute("SET SESSION TRANSACTION READ ONLY").await?,
        Access::Write | Access::Guest => return require_strict(session).await,
        Access::Schema => session.execute("SET SESSION lock_wait_timeout = 3").await?,
    };
    require_strict(session).await
}

async fn require_strict(session: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let mode: String = session.fetch_one("SELECT @@SESSION.sql_mode").await?.try_get(0)?;
    if mode.split(',').any(|word| word == STRICT) {
        return Ok(());
    }
    Err(sqlx::Error::Protocol("the server does not keep sql_mode strict, and would cut long values".into()))
}

/// The same for a session of a component, with its limits in milliseconds. MySQL bounds reading statements only.
pub(crate) async fn prepare_component(
    session: &mut MySqlConnection,
    lock_timeout: Option<u64>,
    statement_timeout: Option<u64>,
) -> Result<(), sqlx::Error> {
    prepare(session, Access::Write).await?;
    if let Some(ms) = lock_timeout {
        let seconds = ms.div_ceil(1000);
        let sql = format!("SET SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}");
        session.execute(sqlx::AssertSqlSafe(sql)).await?;
    }
    let version: String = session.fetch_one("SELECT version()").await?.try_get(0)?;
    match statement_timeout {
        // MariaDB holds the account itself to it.
        Some(ms) if !version.contains("MariaDB") => {
            session.execute(sqlx::AssertSqlSafe(format!("SET SESSION max_execution_time = {ms}"))).await.map(drop)
        }
        _ => Ok(()),
    }
}
