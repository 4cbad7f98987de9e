//! A pool of one component's login, which can be given another login while it is in use.

use std::time::Duration;

use async_trait::async_trait;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use sea_orm::sqlx;
use sea_orm::{DatabaseConnection, DbBackend, DbErr};

#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::login_pool::LoginPool;
use super::rights::Expected;
use crate::db::Address;
use crate::policy::{Component, Limits};

/// A rotation must wait for longer than this: see [`SETTLE`](crate::policy::rotate::SETTLE).
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The pool, in its driver's own form, and what its sessions are held to.
#[async_trait]
pub(super) trait Rolling: Send + Sync {
    /// The pool as sea-orm knows it.
    fn database(&self) -> DatabaseConnection;

    /// Opens a session and has it looked at, so that a login that must not be used is refused now, with the reason.
    async fn probe(&self) -> Result<(), DbErr>;

    /// Holds new sessions to something else.
    fn expect(&self, expected: Expected);

    /// Uses another login from now on. Sessions of the one before are dropped when they come back, or now if they idle;
    /// one that was on its way is refused when it arrives.
    async fn switch(&self, address: &Address, name: &str, expected: Expected) -> Result<(), DbErr>;
}

/// Connects when it is first used. Every new session is looked at before anybody gets it; on SQLite, which has no logins, it
/// is confined by itself.
pub(super) fn open(
    address: &Address,
    name: &str,
    of: &Component,
    expected: Expected,
    limits: &Limits,
    size: u32,
) -> Result<Box<dyn Rolling>, DbErr> {
    match address.engine() {
        #[cfg(feature = "postgres")]
        DbBackend::Postgres => Ok(Box::new(LoginPool::<sqlx::Postgres>::open(
            address, name, of, expected, limits, size,
        )?)),
        #[cfg(feature = "mysql")]
        DbBackend::MySql => {
            Ok(Box::new(LoginPool::<sqlx::MySql>::open(address, name, of, expected, limits, size)?))
        }
        #[cfg(feature = "sqlite")]
        DbBackend::Sqlite => {
            Ok(Box::new(super::sqlite::Sqlite::open(address, name, of, expected, limits, size)?))
        }
        other => Err(crate::db::not_built(other)),
    }
}
