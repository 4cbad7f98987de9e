//! What the sessions of a pool on a server are held to, also while the pool is given another login.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sea_orm::sqlx::{self, Database, Pool};

use super::rights::Expected;
use super::rolling::ACQUIRE_TIMEOUT;
use crate::db::Since;

/// What every session must be.
pub(super) struct CurrentLogin {
    expected: RwLock<Arc<Expected>>,
    /// When the pool was last given another login.
    switched: Since,
}

impl CurrentLogin {
    pub(super) fn new(expected: Expected) -> Arc<Self> {
        Arc::new(Self { expected: RwLock::new(Arc::new(expected)), switched: Since::default() })
    }

    /// Holds new sessions to something else.
    pub(super) fn expect(&self, expected: Expected) {
        *self.expected.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(expected);
    }

    /// From now on sessions are of another login.
    pub(super) fn switched(&self) {
        self.switched.mark();
    }

    pub(super) fn expected(&self) -> Arc<Expected> {
        self.expected.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a session of this age was opened with the login in use.
    pub(super) fn is_current(&self, age: Duration) -> bool {
        self.switched.is_before(age)
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
