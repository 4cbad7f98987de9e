//! Step 12: the manifest carries the marks of its last epochs, by which programs tell that a database lost commits in a
//! failover. Tables that an earlier version sealed get the guards of this one.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::{Backfill, Sql, Step};

pub(crate) struct Migration(pub(crate) Arc<dyn Backfill>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "carry_lineage"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    /// Guards are made with writers excluded, which takes a session of its own.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.carry_lineage(manager, true).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.carry_lineage(manager, false).await
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn down_sql(&self) -> Vec<Sql> {
        Vec::new()
    }

    fn down_destroys(&self) -> Option<&'static str> {
        None
    }

    fn up_work(&self) -> Option<&'static str> {
        Some(
            "adds the mark of its epoch to the manifest, and guards that are missing to sealed tables",
        )
    }

    fn down_work(&self) -> Option<&'static str> {
        Some("removes the marks of the last epochs from the manifest")
    }
}
