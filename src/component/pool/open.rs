//! Opens the pool of a component, with the driver that the address names.

#[cfg(any(feature = "postgres", feature = "mysql"))]
use sea_orm::sqlx;
use sea_orm::{DbBackend, DbErr};

#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::login_pool::LoginPool;
use super::rolling::{PoolSettings, Rolling};

/// Connects when it is first used. Every new session is looked at before anybody gets it; on SQLite, which has no logins, it
/// is confined by itself.
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(clippy::needless_pass_by_value, reason = "pools of servers keep it")
)]
pub(super) fn open(settings: PoolSettings<'_>) -> Result<Box<dyn Rolling>, DbErr> {
    match settings.address.engine() {
        #[cfg(feature = "postgres")]
        DbBackend::Postgres => Ok(Box::new(LoginPool::<sqlx::Postgres>::open(settings)?)),
        #[cfg(feature = "mysql")]
        DbBackend::MySql => Ok(Box::new(LoginPool::<sqlx::MySql>::open(settings)?)),
        #[cfg(feature = "sqlite")]
        DbBackend::Sqlite => Ok(Box::new(super::sqlite::Sqlite::open(&settings)?)),
        other => Err(crate::db::not_built(other)),
    }
}
