//! Step 7: the bytes that deleted and rewritten rows left in the database's files.
//!
//! Not promised: the write-ahead log of PostgreSQL, the redo, undo and binary logs of MySQL and MariaDB, replicas,
//! backups and the disk below the files.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::{Backfill, Sql, Step};

const TABLE: &str = "credential";

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
        self.0.scrub(manager, TABLE).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn down_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn scrubs(&self) -> Option<&'static str> {
        Some(TABLE)
    }

    fn down_destroys(&self) -> Option<&'static str> {
        None
    }

    fn up_work(&self) -> Option<&'static str> {
        Some("writes the table anew")
    }
}
