//! A database connection with its key ring.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement,
    StreamTrait, TransactionError, TransactionOptions, TransactionTrait,
};
use strongroom_entity::SealedTable;
use strongroom_migration::Phase;

use super::keyed::Held;
use super::{RecordError, Transaction};
use crate::db::Lock;
use crate::key::{Ring, Rolling, Roots, Share};
use crate::reseal::{self, Options, ResealError, RollReport};

/// A database connection with its key ring. Clones share both. Goes wherever sea-orm takes a connection.
#[derive(Clone)]
pub struct Strongroom {
    db: DatabaseConnection,
    keys: Arc<Share>,
}

impl Strongroom {
    /// Loads the ring of a database, which [`install_ring`](crate::schema::install_ring) made. `minimum_epoch` guards against
    /// an old database that was put back; 0 accepts any.
    ///
    /// The ring is read, and keys of new scopes are made, on connections of this pool beside those of open transactions. So
    /// there must be fewer transactions at once than the pool has connections, or they wait for each other; a program that
    /// cannot see to that gives the keys a small pool of their own: [`Strongroom::of`] and
    /// [`Share::whole`](crate::key::Share::whole).
    pub async fn load(db: DatabaseConnection, roots: Arc<Roots>, minimum_epoch: i64) -> Result<Self, RecordError> {
        let ring = Arc::new(Ring::load(&db, roots, minimum_epoch).await?);
        let keys = Arc::new(Share::whole(ring, db.clone()));
        Ok(Self { db, keys })
    }

    /// For a program that holds some columns' keys only, as a component does.
    pub fn of(db: DatabaseConnection, keys: Arc<Share>) -> Self {
        Self { db, keys }
    }

    /// Fails unless every one of these tables is sealed, wholly and in the way that the program was built for. For the start
    /// of a program: one that is older or newer than the database must not write to it.
    pub async fn require(&self, tables: &[&'static SealedTable]) -> Result<(), RecordError> {
        self.keys.refresh_now().await?;
        let manifest = self.keys.manifest();
        for table in tables {
            let refused = |found| Err(RecordError::NotSealed { table: table.name, found });
            match manifest.phase(table.name) {
                Some(Phase::Sealed) if manifest.binds(table) => {}
                Some(Phase::Sealed) => return refused("sealed, in another way"),
                Some(phase) => return refused(phase.as_str()),
                None => return refused("unknown"),
            }
        }
        Ok(())
    }

    /// Moves every cell of the database to a new key generation, or back to the one before, while programs read and write:
    /// of this program's tables and of all others, under the run lock. An unfinished roll is continued, never doubled.
    pub async fn roll(&self, direction: Rolling, options: &Options) -> Result<RollReport, ResealError> {
        let ring = self.keys.whole_ring()?;
        let lock = Lock::take(&self.db).await?;
        let done = match ring.reload(&self.db).await {
            Ok(()) => reseal::roll(&self.db, ring, &lock, direction, options).await,
            Err(error) => Err(error.into()),
        };
        // The lease ends by itself where it cannot be given back.
        if let Err(error) = lock.release().await {
            tracing::warn!(%error, "the run lock was not given back; it ends by itself");
        }
        done
    }

    /// The connection alone.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }
}

impl Held for Strongroom {
    fn share(&self) -> &Share {
        &self.keys
    }
}

#[async_trait]
impl ConnectionTrait for Strongroom {
    fn get_database_backend(&self) -> DbBackend {
        ConnectionTrait::get_database_backend(&self.db)
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.db.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.db.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.db.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.db.query_all_raw(statement).await
    }

    fn support_returning(&self) -> bool {
        self.db.support_returning()
    }
}

impl StreamTrait for Strongroom {
    type Stream<'a> = <DatabaseConnection as StreamTrait>::Stream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        ConnectionTrait::get_database_backend(&self.db)
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        self.db.stream_raw(statement)
    }
}

#[async_trait]
impl TransactionTrait for Strongroom {
    type Transaction = Transaction;

    async fn begin(&self) -> Result<Transaction, DbErr> {
        Ok(Transaction::new(self.db.begin().await?, self.keys.clone()))
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<Transaction, DbErr> {
        Ok(Transaction::new(self.db.begin_with_config(isolation_level, access_mode).await?, self.keys.clone()))
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<Transaction, DbErr> {
        Ok(Transaction::new(self.db.begin_with_options(options).await?, self.keys.clone()))
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Transaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        self.begin().await.map_err(TransactionError::Connection)?.run(callback).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Transaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        let begun = self.begin_with_config(isolation_level, access_mode).await;
        begun.map_err(TransactionError::Connection)?.run(callback).await
    }
}
