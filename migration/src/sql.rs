//! SQL per engine, from the files of `sql/`.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use sea_orm_migration::{DbErr, SchemaManager, SchemaManagerConnection};

macro_rules! sql {
    ($file:literal) => {
        $crate::sql::Sql {
            postgres: include_str!(concat!("../sql/postgres/", $file)),
            sqlite: include_str!(concat!("../sql/sqlite/", $file)),
        }
    };
}
pub(crate) use sql;

/// One piece of SQL, as each engine has it.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    /// For PostgreSQL.
    pub postgres: &'static str,
    /// For SQLite.
    pub sqlite: &'static str,
}

/// The runner's own tables. Safe to run again.
pub const RUNNER: Sql = sql!("runner.sql");

impl Sql {
    /// The text for an engine.
    pub fn of(&self, engine: DbBackend) -> Result<&'static str, DbErr> {
        match engine {
            DbBackend::Postgres => Ok(self.postgres),
            DbBackend::Sqlite => Ok(self.sqlite),
            _ => Err(DbErr::BackendNotSupported { db: engine.as_str(), ctx: "schema steps" }),
        }
    }

    /// Runs the text.
    pub async fn run(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(self.of(db.get_database_backend())?).await.map(drop)
    }
}

/// A transaction that no other writer can start beside: on SQLite it holds the write lock from its
/// first moment, so that it never fails half-way for want of it.
pub(crate) async fn begin(manager: &SchemaManager<'_>) -> Result<SchemaManager<'static>, DbErr> {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() };
    let transaction = manager.get_connection().begin_with_options(options).await?;
    let owned = SchemaManager::new(SchemaManagerConnection::OwnedTransaction(transaction));
    bound_lock_waits(&owned).await?;
    Ok(owned)
}

/// An upgrade must not queue behind a long query with everybody else queued behind it: it gives up
/// and the runner tries again.
pub(crate) async fn bound_lock_waits(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared("SET LOCAL lock_timeout = '3s'").await?;
    }
    Ok(())
}

/// Keeps every writer out of the credential table until the transaction ends.
pub(crate) async fn exclude_writers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared("LOCK TABLE credential IN ACCESS EXCLUSIVE MODE").await?;
    }
    Ok(())
}
