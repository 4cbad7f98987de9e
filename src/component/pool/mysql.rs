//! A component's pool on MySQL and MariaDB.

use async_trait::async_trait;
use sea_orm::sqlx::mysql::{MySql, MySqlConnectOptions, MySqlConnection, MySqlPool};
use sea_orm::sqlx::{self, Row as _};
use sea_orm::{DatabaseConnection, DbErr, SqlxMySqlConnector};

use super::login_pool::Driver;
use super::rights::Expected;
use crate::db::{Address, mysql_options, prepare_mysql};
use crate::policy::{Limits, granted};

#[async_trait]
impl Driver for MySql {
    fn options(address: &Address, _name: &str) -> Result<Vec<MySqlConnectOptions>, DbErr> {
        mysql_options(address)
    }

    async fn prepare(session: &mut MySqlConnection, limits: &Limits) -> Result<(), sqlx::Error> {
        prepare_mysql(session, limits.lock_timeout_ms, limits.statement_timeout_ms).await
    }

    async fn require(
        session: &mut MySqlConnection,
        expected: &Expected,
    ) -> Result<(), sqlx::Error> {
        let user: String = sqlx::query_scalar("SELECT CAST(current_user() AS CHAR)")
            .fetch_one(&mut *session)
            .await?;
        let rows = sqlx::query("SHOW GRANTS").fetch_all(session).await?;
        let mut rights = Vec::new();
        for row in rows {
            rights.extend(granted::rights(row.try_get::<String, _>(0)?.as_str()));
        }
        expected.require(user.strip_suffix("@%").unwrap_or(&user), &rights)
    }

    fn database(pool: MySqlPool) -> DatabaseConnection {
        SqlxMySqlConnector::from_sqlx_mysql_pool(pool)
    }
}
