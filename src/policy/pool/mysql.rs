//! A component's pool on MySQL and MariaDB.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::sqlx::mysql::{MySqlConnection, MySqlPool, MySqlPoolOptions};
use sea_orm::sqlx::{self, Row as _};
use sea_orm::{DatabaseConnection, DbErr, SqlxMySqlConnector};

use super::held::{Held, is_there, one, sweep};
use super::rights::Expected;
use super::rolling::{ACQUIRE_TIMEOUT, Rolling};
use super::show_grants;
use crate::db::{Address, conn, mysql_options, prepare_mysql};
use crate::policy::{Component, Limits};

pub(super) struct MySql {
    pool: MySqlPool,
    held: Arc<Held>,
}

impl MySql {
    pub(super) fn open(
        address: &Address,
        _name: &str,
        _of: &Component,
        expected: Expected,
        limits: &Limits,
        size: u32,
    ) -> Result<Self, DbErr> {
        let held = Held::new(expected);
        let (on_connect, on_acquire) = (held.clone(), held.clone());
        let (lock_timeout, statement_timeout) = (limits.lock_timeout_ms, limits.statement_timeout_ms);
        let pool = MySqlPoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.after_connect(move |session, _| {
            let held = on_connect.clone();
            Box::pin(async move {
                let expected = held.expected();
                prepare_mysql(session, lock_timeout, statement_timeout).await?;
                require(session, &expected).await?;
                held.require_unchanged(&expected)
            })
        });
        let pool = pool.test_before_acquire(false).before_acquire(move |session, about| {
            let current = on_acquire.is_current(about.age);
            Box::pin(async move { Ok(current && is_there(session, about.idle_for).await) })
        });
        Ok(Self { pool: pool.connect_lazy_with(mysql_options(address)?), held })
    }
}

#[async_trait]
impl Rolling for MySql {
    fn database(&self) -> DatabaseConnection {
        SqlxMySqlConnector::from_sqlx_mysql_pool(self.pool.clone())
    }

    async fn probe(&self) -> Result<(), DbErr> {
        let expected = self.held.expected();
        let mut session = one(self.pool.connect_options().as_ref()).await.map_err(conn)?;
        require(&mut session, &expected).await.map_err(conn)
    }

    fn expect(&self, expected: Expected) {
        self.held.expect(expected);
    }

    async fn switch(&self, address: &Address, _name: &str, expected: Expected) -> Result<(), DbErr> {
        self.expect(expected);
        self.pool.set_connect_options(mysql_options(address)?);
        self.held.switched();
        sweep(&self.pool).await;
        Ok(())
    }
}

/// The rights of the session's login, as it is told them itself.
async fn require(session: &mut MySqlConnection, expected: &Expected) -> Result<(), sqlx::Error> {
    let user: String = sqlx::query_scalar("SELECT CAST(current_user() AS CHAR)").fetch_one(&mut *session).await?;
    let rows = sqlx::query("SHOW GRANTS").fetch_all(session).await?;
    let mut rights = Vec::new();
    for row in rows {
        rights.extend(show_grants::rights(row.try_get::<String, _>(0)?.as_str()));
    }
    expected.require(user.strip_suffix("@%").unwrap_or(&user), &rights)
}
