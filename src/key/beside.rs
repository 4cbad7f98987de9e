//! A share whose ring is read beside a transaction, which may hold the pool's last connection.
//!
//! Invariant: a key is committed before a cell is sealed under it, so a new one is never made on the transaction's own
//! connection.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;

use super::free::has_free_connection;
use super::{RingError, ScopedKeys};

/// How long the pool is waited for before the transaction's own connection will do.
const PATIENCE: Duration = Duration::from_secs(2);

impl ScopedKeys {
    /// Reads the manifest again where it is old: on the pool, or on the connection of a transaction that began then.
    ///
    /// A transaction may see an older manifest than was read last. That is no rollback while the transaction is older.
    pub(crate) async fn refresh_beside(
        &self,
        own: &impl ConnectionTrait,
        begun: Instant,
    ) -> Result<(), RingError> {
        if let Some(done) = self.on_pool(self.refresh()).await {
            return done;
        }
        match self.ring().refresh_within(own).await {
            Err(RingError::Older { is_pinned: false, .. }) if self.ring().was_read_since(begun) => {
                Ok(())
            }
            done => done,
        }
    }

    /// Reads the manifest again where it is old, for opening: while the pool has no connection left, the last one will do.
    pub(crate) async fn refresh_patiently(&self) -> Result<(), RingError> {
        match tokio::time::timeout(PATIENCE, self.refresh()).await {
            Ok(done) => done,
            Err(_) if self.ring().has_gone_back() => self.refresh().await,
            Err(_) => Ok(()),
        }
    }

    /// See [`Ring::learn`](super::Ring::learn).
    pub(crate) async fn learn_beside<'a>(
        &self,
        own: &impl ConnectionTrait,
        cells: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RingError> {
        let cells: Vec<_> = cells.into_iter().collect();
        match self.on_pool(self.learn(cells.iter().copied())).await {
            Some(done) => done,
            None => self.ring().learn_within(own, cells).await,
        }
    }

    /// See [`Ring::prepare`](super::Ring::prepare). Fails where the pool has no connection to commit a missing key on.
    pub(crate) async fn prepare_beside(
        &self,
        own: &impl ConnectionTrait,
        scopes: &BTreeSet<String>,
    ) -> Result<(), RingError> {
        if let Some(done) = self.on_pool(self.prepare(scopes.iter().cloned())).await {
            return done;
        }
        if self.ring().finds_keys_within(own, scopes).await? {
            Ok(())
        } else {
            Err(RingError::NoConnection)
        }
    }

    /// Works on a connection of the pool, unless it has none left.
    async fn on_pool<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        if !has_free_connection(self.db()) {
            return None;
        }
        tokio::time::timeout(PATIENCE, work).await.ok()
    }
}
