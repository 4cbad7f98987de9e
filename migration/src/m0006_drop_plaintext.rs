//! Step 6: the plaintext goes, once every cell has opened to it with writers excluded.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::m0003_add_sealed_columns::STALE_GUARD;
use crate::m0005_require_sealed::REQUIRED_GUARD;
use crate::sql::{begin, exclude_writers, sql};
use crate::{Backfill, Phase, Sql, Step};

const UP: Sql = sql!("0006_drop_plaintext.up.sql");
const DOWN: Sql = sql!("0006_drop_plaintext.down.sql");
const ABANDONED: Sql = sql!("0006_drop_plaintext.abandoned.sql");
const RESTORED: Sql = sql!("0006_drop_plaintext.restored.sql");

pub(crate) struct Migration(pub(crate) Arc<dyn Backfill>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "drop_plaintext"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    /// Going down opens every row in pages of its own. Each stage moves the phase in its own
    /// transaction, so that after a crash the phase says which stage is next.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let stage = begin(manager).await?;
        exclude_writers(&stage).await?;
        match self.0.phase(stage.get_connection()).await? {
            Phase::Sealed => return stage.commit().await,
            Phase::Restoring => ABANDONED.run(&stage).await?,
            _ => {
                self.0.verify(stage.get_connection()).await?;
                UP.run(&stage).await?;
            }
        }
        self.0.set_phase(stage.get_connection(), Phase::Sealed).await?;
        stage.commit().await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.add_plaintext_columns(manager).await?;
        if self.0.phase(manager.get_connection()).await? == Phase::Restoring {
            self.0.open(manager.get_connection()).await?;
            self.require_plaintext(manager).await?;
        }
        Ok(())
    }
}

impl Migration {
    async fn add_plaintext_columns(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let stage = begin(manager).await?;
        exclude_writers(&stage).await?;
        if self.0.phase(stage.get_connection()).await? == Phase::Sealed {
            DOWN.run(&stage).await?;
            self.0.set_phase(stage.get_connection(), Phase::Restoring).await?;
        }
        stage.commit().await
    }

    async fn require_plaintext(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let stage = begin(manager).await?;
        exclude_writers(&stage).await?;
        self.0.open_rest(stage.get_connection()).await?;
        RESTORED.run(&stage).await?;
        STALE_GUARD.run(&stage).await?;
        REQUIRED_GUARD.run(&stage).await?;
        self.0.set_phase(stage.get_connection(), Phase::Required).await?;
        stage.commit().await
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![UP]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![DOWN, RESTORED, STALE_GUARD, REQUIRED_GUARD]
    }

    fn abandon_sql(&self) -> Vec<Sql> {
        vec![ABANDONED]
    }

    fn up_destroys(&self) -> Option<&'static str> {
        Some("drops the plaintext columns access_key and secret_key, once every cell has opened to them")
    }

    fn down_destroys(&self) -> Option<&'static str> {
        Some("puts the secrets back in the clear, beside the cells")
    }

    fn up_work(&self) -> Option<&'static str> {
        Some("opens every cell and compares it with its plaintext, with writers excluded")
    }

    fn down_work(&self) -> Option<&'static str> {
        Some("opens every cell beside itself, page by page, then compares all of them with writers excluded")
    }
}
