//! What is particular to each engine's driver, a module an engine, each behind the feature of its name.

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
#[cfg(feature = "sqlite")]
pub(super) mod sqlite;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod sqlx;

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbBackend, DbErr};

use super::{Access, Address, Way};

#[cfg(all(feature = "cli", any(feature = "postgres", feature = "mysql")))]
pub(super) use peer::OtherService;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(super) use sqlx::cause;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) use sqlx::conn;
#[cfg(feature = "cli")]
pub(super) use sqlx::said;

/// The feature of this crate that an engine is behind, and whether it is on.
pub(super) const fn feature(engine: DbBackend) -> (&'static str, bool) {
    match engine {
        DbBackend::Postgres => ("postgres", cfg!(feature = "postgres")),
        DbBackend::MySql => ("mysql", cfg!(feature = "mysql")),
        _ => ("sqlite", cfg!(feature = "sqlite")),
    }
}

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

/// For what [`Address::parse`] does not let through.
pub(crate) fn not_built(engine: DbBackend) -> DbErr {
    DbErr::Custom(format!("this build is without strongroom's feature `{}`", feature(engine).0))
}

/// What a driver says of an error, in no driver's terms.
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql", feature = "sqlite")),
    expect(dead_code, reason = "nobody says anything")
)]
pub(super) enum Cause<'a> {
    Io(&'a io::Error),
    Tls(&'a (dyn Error + Send + Sync + 'static)),
    /// Of the pool or of the driver itself: there is no session.
    NoSession,
    /// Whoever answers does not speak the engine's protocol.
    Protocol,
    Server {
        code: Option<Cow<'a, str>>,
        number: Option<u16>,
    },
    Configuration(&'a (dyn Error + Send + Sync + 'static)),
}

/// What a server said of an error, in its own words.
#[cfg(feature = "cli")]
pub(super) struct Said<'a> {
    pub(super) code: Option<Cow<'a, str>>,
    pub(super) number: Option<u16>,
    pub(super) message: &'a str,
    /// May hold values of rows.
    pub(super) detail: Option<&'a str>,
    pub(super) hint: Option<&'a str>,
    pub(super) object: Option<String>,
}

#[cfg(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
pub(super) fn cause(_error: &DbErr) -> Option<Cause<'_>> {
    None
}
