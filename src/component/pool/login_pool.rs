//! A component's pool on a server, where it has a login: the same for every driver.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{self, Connection, Pool};
use sea_orm::{DatabaseConnection, DbErr};

use super::current_login::{CurrentLogin, is_there, one, sweep};
use super::rights::Expected;
use super::rolling::{ACQUIRE_TIMEOUT, PoolSettings, Rolling};
use crate::db::{Address, conn};
use crate::policy::Limits;

/// What a driver has of its own.
#[async_trait]
pub(super) trait Driver: sqlx::Database {
    /// How a session is opened.
    fn options(
        address: &Address,
        name: &str,
    ) -> Result<<Self::Connection as Connection>::Options, DbErr>;

    /// What a new session is told once it is open.
    async fn prepare(session: &mut Self::Connection, limits: &Limits) -> Result<(), sqlx::Error>;

    /// Refuses a session whose login is another, or can do more than it may, as it is told itself.
    async fn require(
        session: &mut Self::Connection,
        expected: &Expected,
    ) -> Result<(), sqlx::Error>;

    /// The pool as sea-orm knows it.
    fn database(pool: Pool<Self>) -> DatabaseConnection;
}

/// The pool, in its driver's own form, and what its sessions are held to.
pub(super) struct LoginPool<D: Driver> {
    pool: Pool<D>,
    login: Arc<CurrentLogin>,
    limits: Arc<Limits>,
}

impl<D: Driver> LoginPool<D> {
    pub(super) fn open(settings: PoolSettings<'_>) -> Result<Self, DbErr> {
        let PoolSettings { address, name, expected, limits, size, .. } = settings;
        let login = CurrentLogin::new(expected);
        let limits = Arc::new(limits.clone());
        let (on_connect, on_acquire, kept) = (login.clone(), login.clone(), limits.clone());
        let pool = PoolOptions::<D>::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.after_connect(move |session, _| {
            let (login, limits) = (on_connect.clone(), limits.clone());
            Box::pin(async move {
                let expected = login.expected();
                D::prepare(session, &limits).await?;
                D::require(session, &expected).await?;
                login.require_unchanged(&expected)
            })
        });
        let pool = pool.test_before_acquire(false).before_acquire(move |session, about| {
            let current = on_acquire.is_current(about.age);
            Box::pin(async move { Ok(current && is_there(session, about.idle_for).await) })
        });
        Ok(Self { pool: pool.connect_lazy_with(D::options(address, name)?), login, limits: kept })
    }
}

#[async_trait]
impl<D: Driver> Rolling for LoginPool<D> {
    fn database(&self) -> DatabaseConnection {
        D::database(self.pool.clone())
    }

    async fn probe(&self) -> Result<(), DbErr> {
        let expected = self.login.expected();
        let mut session = one(self.pool.connect_options().as_ref()).await.map_err(conn)?;
        D::prepare(&mut session, &self.limits).await.map_err(conn)?;
        D::require(&mut session, &expected).await.map_err(conn)
    }

    fn expect(&self, expected: Expected) {
        self.login.expect(expected);
    }

    async fn switch(&self, address: &Address, name: &str, expected: Expected) -> Result<(), DbErr> {
        self.expect(expected);
        self.pool.set_connect_options(D::options(address, name)?);
        self.login.switched();
        sweep(&self.pool).await;
        Ok(())
    }
}
