//! Step 10: where the service writes down what it handed out, and the signatures that it has seen.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::sql::{bound_lock_waits, sql};
use crate::{Backfill, Sql, Step};

const UP: Sql = sql!("0010_create_audit.up.sql");
const DOWN: Sql = sql!("0010_create_audit.down.sql");

pub(crate) struct Migration(pub(crate) Arc<dyn Backfill>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "create_audit"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        UP.run(manager, &*self.0).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bound_lock_waits(manager).await?;
        DOWN.run(manager, &*self.0).await
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![UP]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![DOWN]
    }

    fn needs_keys(&self) -> bool {
        false
    }

    fn down_destroys(&self) -> Option<&'static str> {
        Some("drops the audit rows: `strongroom audit list` shows them as long as they are there")
    }
}
