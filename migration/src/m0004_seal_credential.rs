//! Step 4: every row sealed beside its plaintext, page by page, while programs go on writing.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::{Backfill, Phase, Sql, Step};

pub(crate) struct Migration(pub(crate) Arc<dyn Backfill>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "seal_credential"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    /// The engine commits its own pages.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        self.0.seal(db).await?;
        self.0.set_phase(db, Phase::Filled).await
    }

    /// The cells stay where they are until step 3 goes down; plaintext is what counts.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.set_phase(manager.get_connection(), Phase::Dual).await
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
        Some("seals every row beside its plaintext, page by page")
    }
}
