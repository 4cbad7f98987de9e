//! A component's pool on SQLite, where there is no login: every connection is confined by itself.

use async_trait::async_trait;
use sea_orm::sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sea_orm::{DatabaseConnection, DbErr, SqlxSqliteConnector};

use super::rights::Expected;
use super::rolling::{ACQUIRE_TIMEOUT, PoolSettings, Rolling};
use crate::component::confinement::{Rules, confine};
use crate::db::{Address, conn, sqlite_options};

pub(super) struct Sqlite(SqlitePool);

impl Sqlite {
    pub(super) fn open(settings: &PoolSettings<'_>) -> Result<Self, DbErr> {
        let rules = Rules::of(settings.component);
        let pool = SqlitePoolOptions::new()
            .max_connections(settings.size)
            .acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.after_connect(move |session, _| Box::pin(confine(session, rules)));
        Ok(Self(pool.connect_lazy_with(sqlite_options(settings.address)?)))
    }
}

/// A connection keeps the rights that it was opened with.
#[async_trait]
impl Rolling for Sqlite {
    fn database(&self) -> DatabaseConnection {
        SqlxSqliteConnector::from_sqlx_sqlite_pool(self.0.clone())
    }

    async fn probe(&self) -> Result<(), DbErr> {
        self.0.acquire().await.map(drop).map_err(conn)
    }

    fn expect(&self, _expected: Expected) {}

    fn drop_sessions(&self) {}

    async fn switch(
        &self,
        _address: &Address,
        _name: &str,
        _expected: Expected,
    ) -> Result<(), DbErr> {
        Ok(())
    }
}
