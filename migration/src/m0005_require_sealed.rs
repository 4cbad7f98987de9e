//! Step 5: cells are required. From here a program that writes only plaintext gets an error.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::sql::{bound_lock_waits, exclude_writers, sql};
use crate::{Backfill, Phase, Sql, Step};

const UP: Sql = sql!("0005_require_sealed.up.sql");
const DOWN: Sql = sql!("0005_require_sealed.down.sql");
pub(crate) const REQUIRED_GUARD: Sql = sql!("credential_required_guard.sql");

pub(crate) struct Migration(pub(crate) Arc<dyn Backfill>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "require_sealed"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    /// Rows that older programs wrote since step 4 are sealed here, with writers excluded.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bound_lock_waits(manager).await?;
        exclude_writers(manager).await?;
        self.0.seal_rest(manager.get_connection()).await?;
        UP.run(manager).await?;
        REQUIRED_GUARD.run(manager).await?;
        self.0.set_phase(manager.get_connection(), Phase::Required).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bound_lock_waits(manager).await?;
        DOWN.run(manager).await?;
        self.0.set_phase(manager.get_connection(), Phase::Filled).await
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![UP, REQUIRED_GUARD]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![DOWN]
    }

    fn down_destroys(&self) -> Option<&'static str> {
        None
    }

    fn up_work(&self) -> Option<&'static str> {
        Some("seals what older programs wrote since, with writers excluded")
    }
}
