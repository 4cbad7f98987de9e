//! One session that keeps every writer out of a table until it ends.

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::{DbErr, SchemaManager, SchemaManagerConnection};

use crate::Engine;
use crate::sql::bound_lock_waits;

/// One transaction, in which writers are excluded until [`Stage::end`]. For SQLite and PostgreSQL, where a schema change does
/// not end it.
pub struct Stage {
    manager: SchemaManager<'static>,
    engine: Engine,
}

impl Stage {
    /// Waits for writers, but not for long: an error that passes is tried again by the runner.
    pub async fn begin(manager: &SchemaManager<'_>, table: &str) -> Result<Self, DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        if !engine.has_transactional_ddl() {
            return Err(DbErr::Custom("a schema change would end the transaction here".into()));
        }
        let stage = Self { manager: begin(manager).await?, engine };
        // On SQLite the write lock is held from the transaction's first moment.
        if engine == Engine::Postgres {
            let lock = format!("LOCK TABLE \"{table}\" IN ACCESS EXCLUSIVE MODE");
            stage.db().execute_unprepared(&lock).await?;
        }
        Ok(stage)
    }

    /// Which engine the session speaks to.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The session.
    pub fn db(&self) -> &SchemaManagerConnection<'static> {
        self.manager.get_connection()
    }

    /// Lets writers in again, after committing what was done, or after taking it back.
    pub async fn end<T>(self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        // Dropping a transaction rolls it back.
        let value = outcome?;
        self.manager.commit().await?;
        Ok(value)
    }
}

/// A transaction that no other writer can start beside: on SQLite it holds the write lock from its
/// first moment, so that it never fails half-way for want of it.
pub async fn begin(manager: &SchemaManager<'_>) -> Result<SchemaManager<'static>, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction: DatabaseTransaction =
        manager.get_connection().begin_with_options(options).await?;
    let owned = SchemaManager::new(SchemaManagerConnection::OwnedTransaction(transaction));
    bound_lock_waits(&owned).await?;
    Ok(owned)
}
