//! A pool of one component's login, which can be given another login while it is in use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sea_orm::sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sea_orm::sqlx::postgres::{PgPool, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sea_orm::sqlx::{self, Database, Pool};
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxMySqlConnector, SqlxPostgresConnector, SqlxSqliteConnector};

use super::rights::{Expected, require_on_mysql, require_on_postgres};
use crate::db::{self, Address, Options};
use crate::policy::Limits;
use crate::policy::sqlite::{self, Rules};

/// A rotation must wait for longer than this: see [`SETTLE`](crate::policy::rotate::SETTLE).
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// A session's age is taken a moment after it was looked at. What was opened this soon after a switch is opened again.
const MARGIN: Duration = Duration::from_millis(50);

/// The pool, in the driver's own form, and what its sessions are held to.
pub(super) struct Rolling {
    pool: Driver,
    held: Arc<Held>,
}

enum Driver {
    Postgres(PgPool),
    MySql(MySqlPool),
    Sqlite(SqlitePool),
}

/// What every session must be.
struct Held {
    expected: RwLock<Arc<Expected>>,
    limits: Limits,
    /// When the pool was last given another login, in milliseconds since `began`.
    switched: AtomicU64,
    began: Instant,
}

impl Held {
    fn expected(&self) -> Arc<Expected> {
        self.expected.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a session of this age was opened with the login in use.
    fn is_current(&self, age: Duration) -> bool {
        let switched = Duration::from_millis(self.switched.load(Ordering::Acquire));
        switched.is_zero() || age + MARGIN <= self.began.elapsed().saturating_sub(switched)
    }

    /// A session that was looked at while the login changed is of the login before, and would pass for a new one: its
    /// age counts from the end of the look.
    fn require_unchanged(&self, expected: &Arc<Expected>) -> Result<(), sqlx::Error> {
        if Arc::ptr_eq(expected, &self.expected()) {
            return Ok(());
        }
        Err(sqlx::Error::Protocol("the component's login changed while this session was opened".into()))
    }
}

impl Rolling {
    /// Connects when it is first used. Every new session is looked at before anybody gets it.
    pub(super) fn on_server(
        address: &Address,
        name: &str,
        expected: Expected,
        limits: &Limits,
        size: u32,
    ) -> Result<Self, DbErr> {
        let held = Arc::new(Held {
            expected: RwLock::new(Arc::new(expected)),
            limits: limits.clone(),
            switched: AtomicU64::new(0),
            began: Instant::now(),
        });
        let pool = match db::options(address, name)? {
            Options::Postgres(options) => {
                let (on_connect, on_acquire) = (held.clone(), held.clone());
                let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
                let pool = pool.after_connect(move |session, _| {
                    let held = on_connect.clone();
                    Box::pin(async move {
                        let expected = held.expected();
                        require_on_postgres(session, &expected).await?;
                        held.require_unchanged(&expected)
                    })
                });
                let pool = pool.test_before_acquire(false).before_acquire(move |session, about| {
                    let current = on_acquire.is_current(about.age);
                    Box::pin(async move { Ok(current && is_there(session, about.idle_for).await) })
                });
                Driver::Postgres(pool.connect_lazy_with(options))
            }
            Options::MySql(options) => {
                let (on_connect, on_acquire) = (held.clone(), held.clone());
                let pool = MySqlPoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
                let pool = pool.after_connect(move |session, _| {
                    let held = on_connect.clone();
                    Box::pin(async move {
                        let (expected, limits) = (held.expected(), &held.limits);
                        db::prepare_mysql(session, limits.lock_timeout_ms, limits.statement_timeout_ms).await?;
                        require_on_mysql(session, &expected).await?;
                        held.require_unchanged(&expected)
                    })
                });
                let pool = pool.test_before_acquire(false).before_acquire(move |session, about| {
                    let current = on_acquire.is_current(about.age);
                    Box::pin(async move { Ok(current && is_there(session, about.idle_for).await) })
                });
                Driver::MySql(pool.connect_lazy_with(options))
            }
            Options::Sqlite(_) => return Err(DbErr::Custom("SQLite has no logins".into())),
        };
        Ok(Self { pool, held })
    }

    /// On SQLite there is no login: every connection is confined by itself.
    pub(super) fn on_sqlite(
        address: &Address,
        name: &str,
        expected: Expected,
        limits: &Limits,
        size: u32,
        rules: &'static Rules,
    ) -> Result<Self, DbErr> {
        let Options::Sqlite(options) = db::options(address, name)? else {
            return Err(DbErr::Custom("not SQLite".into()));
        };
        let pool = SqlitePoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.after_connect(move |session, _| Box::pin(sqlite::confine(session, rules)));
        let held = Held {
            expected: RwLock::new(Arc::new(expected)),
            limits: limits.clone(),
            switched: AtomicU64::new(0),
            began: Instant::now(),
        };
        Ok(Self { pool: Driver::Sqlite(pool.connect_lazy_with(options)), held: Arc::new(held) })
    }

    /// Holds new sessions to something else.
    pub(super) fn expect(&self, expected: Expected) {
        *self.held.expected.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(expected);
    }

    /// The pool as sea-orm knows it.
    pub(super) fn database(&self) -> DatabaseConnection {
        match &self.pool {
            Driver::Postgres(pool) => SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone()),
            Driver::MySql(pool) => SqlxMySqlConnector::from_sqlx_mysql_pool(pool.clone()),
            Driver::Sqlite(pool) => SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone()),
        }
    }

    /// Uses another login from now on. Sessions of the one before are dropped when they come back, or now if they idle;
    /// one that was on its way is refused when it arrives.
    pub(super) async fn switch(&self, address: &Address, name: &str, expected: Expected) -> Result<(), DbErr> {
        self.expect(expected);
        let options = db::options(address, name)?;
        match (&self.pool, options) {
            (Driver::Postgres(pool), Options::Postgres(options)) => pool.set_connect_options(options),
            (Driver::MySql(pool), Options::MySql(options)) => pool.set_connect_options(options),
            _ => return Ok(()),
        }
        let now = u64::try_from(self.held.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.held.switched.store(now.max(1), Ordering::Release);
        match &self.pool {
            Driver::Postgres(pool) => sweep(pool).await,
            Driver::MySql(pool) => sweep(pool).await,
            Driver::Sqlite(_) => {}
        }
        Ok(())
    }

    /// Opens a session and has it looked at, so that a login that must not be used is refused now, with the reason.
    pub(super) async fn probe(&self) -> Result<(), DbErr> {
        let expected = self.held.expected();
        let conn = |error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(error.into()));
        match &self.pool {
            Driver::Postgres(pool) => {
                let mut session = one(pool.connect_options().as_ref()).await.map_err(conn)?;
                require_on_postgres(&mut session, &expected).await.map_err(conn)
            }
            Driver::MySql(pool) => {
                let mut session = one(pool.connect_options().as_ref()).await.map_err(conn)?;
                require_on_mysql(&mut session, &expected).await.map_err(conn)
            }
            Driver::Sqlite(pool) => pool.acquire().await.map(drop).map_err(conn),
        }
    }
}

/// One that worked a moment ago is not asked: that would double the journeys of a busy program.
const FRESH: Duration = Duration::from_millis(500);

async fn is_there(session: &mut impl sqlx::Connection, idle_for: Duration) -> bool {
    idle_for < FRESH || session.ping().await.is_ok()
}

/// A pool would try again until its patience ends, and then not say why.
async fn one<O>(options: &O) -> Result<O::Connection, sqlx::Error>
where
    O: sqlx::ConnectOptions,
    O::Connection: Sized,
{
    tokio::time::timeout(ACQUIRE_TIMEOUT, options.connect()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Closes what idles.
async fn sweep<D: Database>(pool: &Pool<D>) {
    while let Some(session) = pool.try_acquire() {
        if let Err(error) = session.close().await {
            tracing::debug!(%error, "closing a session of the login before");
        }
    }
}
