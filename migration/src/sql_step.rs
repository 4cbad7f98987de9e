//! A step that is SQL and nothing else: it asks for no keys and moves no rows.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::sql::bound_lock_waits;
use crate::{Backfill, Sql, Step};

/// The SQL of one.
pub(crate) struct SqlStep {
    pub(crate) name: &'static str,
    pub(crate) up: Sql,
    pub(crate) down: Sql,
    pub(crate) down_destroys: &'static str,
    pub(crate) backfill: Arc<dyn Backfill>,
}

impl MigrationName for SqlStep {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for SqlStep {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.up.run(manager, &*self.backfill).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bound_lock_waits(manager).await?;
        self.down.run(manager, &*self.backfill).await
    }
}

impl Step for SqlStep {
    fn up_sql(&self) -> Vec<Sql> {
        vec![self.up]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![self.down]
    }

    fn needs_keys(&self) -> bool {
        false
    }

    fn down_destroys(&self) -> Option<&'static str> {
        Some(self.down_destroys)
    }
}
