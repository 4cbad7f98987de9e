//! What the sessions of a pool on a server are held to, also while the pool is given another login.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sea_orm::sqlx::{self, Database, Pool};

use super::rights::Expected;
use super::rolling::ACQUIRE_TIMEOUT;

/// A session's age is taken a moment after it was looked at. What was opened this soon after a switch is opened again.
const MARGIN: Duration = Duration::from_millis(50);

/// What every session must be.
pub(super) struct CurrentLogin {
    expected: RwLock<Arc<Expected>>,
    /// When the pool was last given another login, in milliseconds since `began`.
    switched: AtomicU64,
    began: Instant,
}

impl CurrentLogin {
    pub(super) fn new(expected: Expected) -> Arc<Self> {
        Arc::new(Self {
            expected: RwLock::new(Arc::new(expected)),
            switched: AtomicU64::new(0),
            began: Instant::now(),
        })
    }

    /// Holds new sessions to something else.
    pub(super) fn expect(&self, expected: Expected) {
        *self.expected.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(expected);
    }

    /// From now on sessions are of another login.
    pub(super) fn switched(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.switched.store(now.max(1), Ordering::Release);
    }

    pub(super) fn expected(&self) -> Arc<Expected> {
        self.expected.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a session of this age was opened with the login in use.
    pub(super) fn is_current(&self, age: Duration) -> bool {
        let switched = Duration::from_millis(self.switched.load(Ordering::Acquire));
        switched.is_zero() || age + MARGIN <= self.began.elapsed().saturating_sub(switched)
    }

    /// A session that was looked at while the login changed is of the login before, and would pass for a new one: its
    /// age counts from the end of the look.
    pub(super) fn require_unchanged(&self, expected: &Arc<Expected>) -> Result<(), sqlx::Error> {
        if Arc::ptr_eq(expected, &self.expected()) {
            return Ok(());
        }
        Err(sqlx::Error::Protocol(
            "the component's login changed while this session was opened".into(),
        ))
    }
}

/// One that worked a moment ago is not asked: that would double the journeys of a busy program.
const FRESH: Duration = Duration::from_millis(500);

pub(super) async fn is_there(session: &mut impl sqlx::Connection, idle_for: Duration) -> bool {
    idle_for < FRESH || session.ping().await.is_ok()
}

/// A pool would try again until its patience ends, and then not say why.
pub(super) async fn one<O>(options: &O) -> Result<O::Connection, sqlx::Error>
where
    O: sqlx::ConnectOptions,
    O::Connection: Sized,
{
    tokio::time::timeout(ACQUIRE_TIMEOUT, options.connect())
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Closes what idles.
pub(super) async fn sweep<D: Database>(pool: &Pool<D>) {
    while let Some(session) = pool.try_acquire() {
        if let Err(error) = session.close().await {
            tracing::debug!(%error, "closing a session of the login before");
        }
    }
}
