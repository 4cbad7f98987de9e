//! One session that keeps every writer out of a table until it ends.

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::{DbErr, SchemaManager, SchemaManagerConnection};

use crate::Engine;
use crate::sql::bound_lock_waits;

/// Writers are excluded until [`Stage::end`]. On SQLite and PostgreSQL it is one transaction; on MySQL and
/// MariaDB table locks, under which a schema change commits what was written before it.
pub struct Stage {
    manager: SchemaManager<'static>,
    engine: Engine,
}

/// Everything that keyed work touches, under each name that it uses: under table locks nothing else may be.
fn lock_tables(table: &str) -> String {
    format!(
        "LOCK TABLES `{table}` WRITE, `{table}` AS shape READ, strongroom_key WRITE, strongroom_manifest WRITE, \
         strongroom_reseal WRITE, strongroom_quarantine WRITE, strongroom_lock WRITE"
    )
}

impl Stage {
    /// Waits for writers, but not for long: an error that passes is tried again by the runner.
    pub async fn begin(manager: &SchemaManager<'_>, table: &str) -> Result<Self, DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        let stage = Self { manager: begin(manager).await?, engine };
        let excluded = match engine {
            // The write lock is held from the transaction's first moment.
            Engine::Sqlite => Ok(()),
            Engine::Postgres => {
                stage.execute(&format!("LOCK TABLE \"{table}\" IN ACCESS EXCLUSIVE MODE")).await
            }
            // With autocommit on, InnoDB would give the table locks back at once.
            Engine::MySql | Engine::MariaDb => {
                stage.run_all(&["SET autocommit = 0", &lock_tables(table)]).await
            }
        };
        match excluded {
            Ok(()) => Ok(stage),
            Err(error) => stage.end(Err(error)).await,
        }
    }

    /// Which engine the session speaks to.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The session, for schema changes.
    pub fn manager(&self) -> &SchemaManager<'static> {
        &self.manager
    }

    /// The session, for data.
    pub fn db(&self) -> &SchemaManagerConnection<'static> {
        self.manager.get_connection()
    }

    /// Lets writers in again, after committing what was done, or after taking back what can be. On MySQL and MariaDB each
    /// statement runs whatever became of the one before: a session goes back to its pool without locks, and with autocommit.
    pub async fn end<T>(self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if !self.engine.has_transactional_ddl() {
            let last = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let mut ended = Ok(());
            for statement in [last, "UNLOCK TABLES", "SET autocommit = 1"] {
                ended = ended.and(self.execute(statement).await);
            }
            return outcome.and_then(|value| ended.map(|()| value));
        }
        // Dropping a transaction rolls it back.
        let value = outcome?;
        self.manager.commit().await?;
        Ok(value)
    }

    async fn run_all(&self, statements: &[&str]) -> Result<(), DbErr> {
        for statement in statements {
            self.execute(statement).await?;
        }
        Ok(())
    }

    async fn execute(&self, sql: &str) -> Result<(), DbErr> {
        self.db().execute_unprepared(sql).await.map(drop)
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
