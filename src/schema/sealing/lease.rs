//! The run lock of a call: lent by a runner that holds it, or taken for the call alone.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use sea_orm::{DatabaseConnection, DbErr};

use crate::db::{Lock, LockError, wrapped};

/// What a runner has lent. Its lock is the runner's to give back, so it is not kept alive here.
#[derive(Clone, Default)]
pub(super) struct Lease(Arc<Mutex<Weak<Lock>>>);

/// The lock, for as long as one call takes.
pub(super) struct HeldLock {
    lock: Arc<Lock>,
    is_lent: bool,
}

impl Lease {
    pub(super) fn borrow(&self, lock: &Arc<Lock>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(lock);
    }

    pub(super) async fn hold(&self, db: &DatabaseConnection) -> Result<HeldLock, DbErr> {
        let lent = self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(lock) = lent {
            return Ok(HeldLock { lock, is_lent: true });
        }
        match Lock::take(db).await {
            Ok(lock) => Ok(HeldLock { lock: Arc::new(lock), is_lent: false }),
            Err(LockError::Database(error)) => Err(error),
            Err(error) => Err(wrapped(error)),
        }
    }
}

impl HeldLock {
    pub(super) fn lock(&self) -> &Arc<Lock> {
        &self.lock
    }

    /// The work is done and committed: a lock that cannot be given back ends by itself.
    pub(super) async fn end(self) {
        let Some(lock) = Arc::into_inner(self.lock).filter(|_| !self.is_lent) else { return };
        if let Err(error) = lock.release().await {
            tracing::warn!(%error, "the run lock was not given back; it ends by itself");
        }
    }
}
