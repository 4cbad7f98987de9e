//! A component's pool on a server, where it has a login: the same for every driver.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{self, ConnectOptions, Pool};
use sea_orm::{DatabaseConnection, DbErr};

use super::current_login::{CurrentLogin, one, sweep};
use super::rights::Expected;
use super::rolling::{ACQUIRE_TIMEOUT, PoolSettings, Rolling};
use crate::db::{Address, Hosts, Options, Server, conn};
use crate::policy::Limits;

/// What a driver has of its own.
#[async_trait]
pub(super) trait Driver: Server {
    /// How a session of each host is opened.
    fn options(address: &Address, name: &str) -> Result<Vec<Options<Self>>, DbErr>;

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
    hosts: Arc<Hosts<D>>,
    /// The hosts are followed for as long as it is held.
    _alive: Arc<()>,
}

impl<D: Driver> LoginPool<D>
where
    Options<D>: ConnectOptions<Connection = D::Connection>,
{
    pub(super) fn open(settings: PoolSettings<'_>) -> Result<Self, DbErr> {
        let PoolSettings { address, name, expected, limits, size, .. } = settings;
        let login = CurrentLogin::new(expected);
        let limits = Arc::new(limits.clone());
        let hosts = Hosts::<D>::new(address, D::options(address, name)?);
        let (on_connect, on_acquire, kept) = (login.clone(), login.clone(), limits.clone());
        let (connecting, acquiring) = (hosts.clone(), hosts.clone());
        let pool = PoolOptions::<D>::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.after_connect(move |session, _| {
            let (login, limits, hosts) = (on_connect.clone(), limits.clone(), connecting.clone());
            Box::pin(async move {
                hosts.admit(session).await?;
                let expected = login.expected();
                D::prepare(session, &limits).await?;
                D::require(session, &expected).await?;
                login.require_unchanged(&expected)
            })
        });
        let pool = pool.test_before_acquire(false).before_acquire(move |session, about| {
            let current = on_acquire.is_current(about.age);
            let hosts = acquiring.clone();
            Box::pin(async move { Ok(current && hosts.keeps(session, &about).await) })
        });
        let pool = pool.connect_lazy_with(hosts.current().map_err(conn)?);
        let alive = Arc::new(());
        hosts.follow(&pool, Arc::downgrade(&alive));
        Ok(Self { pool, login, limits: kept, hosts, _alive: alive })
    }
}

#[async_trait]
impl<D: Driver> Rolling for LoginPool<D>
where
    Options<D>: ConnectOptions<Connection = D::Connection>,
{
    fn database(&self) -> DatabaseConnection {
        D::database(self.pool.clone())
    }

    async fn probe(&self) -> Result<(), DbErr> {
        let expected = self.login.expected();
        let mut session = one(self.pool.connect_options().as_ref()).await.map_err(conn)?;
        self.hosts.admit(&mut session).await.map_err(conn)?;
        D::prepare(&mut session, &self.limits).await.map_err(conn)?;
        D::require(&mut session, &expected).await.map_err(conn)
    }

    fn expect(&self, expected: Expected) {
        self.login.expect(expected);
    }

    fn drop_sessions(&self) {
        self.hosts.drop_sessions();
    }

    async fn switch(&self, address: &Address, name: &str, expected: Expected) -> Result<(), DbErr> {
        self.expect(expected);
        self.hosts.replace(D::options(address, name)?, &self.pool).map_err(conn)?;
        self.login.switched();
        sweep(&self.pool).await;
        Ok(())
    }
}
