//! Step 7: the bytes that deleted and rewritten rows left in the database's files.
//!
//! Not promised: the write-ahead log of PostgreSQL, the redo, undo and binary logs of MySQL and MariaDB, replicas, backups and the disk below the files.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::sql::sql;
use crate::stage::begin;
use crate::{Backfill, Sql, Step};

const UP: Sql = sql!("0007_scrub_free_space.up.sql");

pub(crate) struct Migration(pub(crate) Arc<dyn Backfill>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "scrub_free_space"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    /// SQLite's VACUUM runs outside transactions.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => {
                let transaction = begin(manager).await?;
                UP.run(&transaction, &*self.0).await?;
                transaction.commit().await
            }
            DbBackend::Sqlite => {
                UP.run(manager, &*self.0).await?;
                empty_write_ahead_log(manager).await
            }
            _ => UP.run(manager, &*self.0).await,
        }
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// How often to ask, and how long to wait in between: readers come and go, and a checkpoint that
/// another connection has begun does not wait for ours.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Empties the write-ahead log of an SQLite database, once nobody reads.
pub async fn empty_write_ahead_log(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for _ in 0..ATTEMPTS {
        if is_truncated(manager).await? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(DbErr::Migration(
        "another program is reading the database file, so its write-ahead log cannot be emptied"
            .into(),
    ))
}

/// The pragma answers with a row whose first column says that somebody kept it from finishing.
async fn is_truncated(manager: &SchemaManager<'_>) -> Result<bool, DbErr> {
    let pragma = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    let answer = manager.get_connection().query_one_raw(pragma).await?;
    let busy: i32 = answer.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(busy == 0)
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![UP]
    }

    fn down_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn needs_keys(&self) -> bool {
        false
    }

    fn down_destroys(&self) -> Option<&'static str> {
        None
    }

    fn up_work(&self) -> Option<&'static str> {
        Some("writes the table anew, so that free space holds no plaintext")
    }
}
