//! What is particular to each engine's driver, a module an engine, each behind the feature of its name.

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) mod hosts;
#[cfg(feature = "mysql")]
pub(super) mod mysql;
#[cfg(feature = "mysql")]
pub(super) mod mysql_session;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod peer;
#[cfg(feature = "postgres")]
pub(super) mod postgres;
#[cfg(feature = "postgres")]
pub(super) mod postgres_session;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) mod since;
#[cfg(feature = "sqlite")]
pub(super) mod sqlite;

use std::path::PathBuf;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
use std::time::Duration;

use async_trait::async_trait;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
use sea_orm::DbBackend;
use sea_orm::{DatabaseConnection, DbErr};

use super::feature::not_built;
use super::{Access, Address, Way};

#[cfg(all(feature = "postgres", feature = "mysql"))]
pub(super) use peer::OtherService;

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
const CONNECTIONS: u32 = 8;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);

/// An engine's driver.
#[async_trait]
pub(super) trait Driver: Sync {
    async fn connect(&self, address: &Address, access: Access)
    -> Result<DatabaseConnection, DbErr>;

    /// True when it was made.
    async fn create_if_missing(&self, address: &Address) -> Result<bool, DbErr>;

    /// None where there is no server.
    fn way(&self, address: &Address) -> Result<Option<Way>, DbErr>;

    /// None for memory, and for a server.
    fn file(&self, _address: &Address) -> Option<PathBuf> {
        None
    }
}

/// The driver for an address. [`Address::parse`] has seen to it that there is one.
pub(super) fn driver(address: &Address) -> Result<&'static dyn Driver, DbErr> {
    match address.engine() {
        #[cfg(feature = "postgres")]
        DbBackend::Postgres => Ok(&postgres::Postgres),
        #[cfg(feature = "mysql")]
        DbBackend::MySql => Ok(&mysql::MySql),
        #[cfg(feature = "sqlite")]
        DbBackend::Sqlite => Ok(&sqlite::Sqlite),
        other => Err(not_built(other)),
    }
}
