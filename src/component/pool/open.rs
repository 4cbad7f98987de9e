//! Opens the pool of a component, with the driver that the address names.

#[cfg(any(feature = "postgres", feature = "mysql"))]
use sea_orm::sqlx;
use sea_orm::{DbBackend, DbErr};

#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::login_pool::LoginPool;
use super::rights::Expected;
use super::rolling::Rolling;
use crate::db::Address;
use crate::policy::{Component, Limits};

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
