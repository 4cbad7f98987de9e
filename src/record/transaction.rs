//! A transaction with the key ring of its database.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use sea_orm::{DatabaseTransaction, DbErr, TransactionError, TransactionSession};

use super::connection::goes_where_a_connection_goes;
use super::keyed::HasKeys;
use crate::key::ScopedKeys;

/// A transaction with the key ring of its database; rolled back when dropped. Seals, opens and finds as a
/// [`Strongroom`](super::Strongroom) does, which begins it.
///
/// The first value of a new scope needs a new data key, which is committed on another connection: a cell must never outlive
/// its key. SQLite lets nobody else write meanwhile, and a pool of one connection has no other, so there such a row is
/// [sealed](super::Draft::seal) before the transaction begins. Everything else works on the transaction's own connection
/// where the pool has none left.
pub struct Transaction {
    inner: DatabaseTransaction,
    keys: Arc<ScopedKeys>,
    begun: Instant,
}

impl Transaction {
    pub(super) fn new(inner: DatabaseTransaction, keys: Arc<ScopedKeys>) -> Self {
        Self { inner, keys, begun: Instant::now() }
    }

    /// Commits it.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.inner.commit().await
    }

    /// Takes back what was done in it. So does dropping it.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.inner.rollback().await
    }

    pub(super) async fn run<F, T, E>(self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
            + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        let done = callback(&self).await.map_err(TransactionError::Transaction);
        let ended =
            if done.is_ok() { self.inner.commit().await } else { self.inner.rollback().await };
        ended.map_err(TransactionError::Connection)?;
        done
    }
}

impl HasKeys for Transaction {
    fn keys(&self) -> &ScopedKeys {
        &self.keys
    }

    fn begun(&self) -> Option<Instant> {
        Some(self.begun)
    }
}

// Transactions within are savepoints.
goes_where_a_connection_goes!(Transaction, inner, DatabaseTransaction);

#[async_trait]
impl TransactionSession for Transaction {
    async fn commit(self) -> Result<(), DbErr> {
        self.inner.commit().await
    }

    async fn rollback(self) -> Result<(), DbErr> {
        self.inner.rollback().await
    }
}
