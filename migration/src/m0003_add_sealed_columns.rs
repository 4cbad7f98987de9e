//! Step 3: cells and blind index beside the plaintext, with the guards that keep plaintext out of them.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::sql::{bound_lock_waits, sql};
use crate::{Backfill, Phase, Sql, Step};

const UP: Sql = sql!("0003_add_sealed_columns.up.sql");
const DOWN: Sql = sql!("0003_add_sealed_columns.down.sql");
pub(crate) const STALE_GUARD: Sql = sql!("credential_stale_guard.sql");

pub(crate) struct Migration(pub(crate) Arc<dyn Backfill>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "add_sealed_columns"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bound_lock_waits(manager).await?;
        UP.run(manager, &*self.0).await?;
        STALE_GUARD.run(manager, &*self.0).await?;
        self.0.set_phase(manager.get_connection(), Phase::Dual).await
    }

    /// Plaintext is what counts at this phase, so dropping the cells loses nothing.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bound_lock_waits(manager).await?;
        self.0.set_phase(manager.get_connection(), Phase::Plain).await?;
        DOWN.run(manager, &*self.0).await
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![UP, STALE_GUARD]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![DOWN]
    }

    fn down_destroys(&self) -> Option<&'static str> {
        Some("drops the cells and the blind index; the plaintext beside them stays")
    }
}
