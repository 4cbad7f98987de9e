//! Step 5: cells are required. From here a program that writes only plaintext gets an error.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::sql::sql;
use crate::stage::Stage;
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
    /// Going up shuts writers out in a session of its own.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let stage = Stage::begin(manager, "credential").await?;
        let done = self.require(&stage).await;
        stage.end(done).await
    }

    /// The phase first: it never promises what the database does not see to.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let stage = Stage::begin(manager, "credential").await?;
        let done = self.release(&stage).await;
        stage.end(done).await
    }
}

impl Migration {
    /// Rows that older programs wrote since step 4 are sealed here.
    async fn require(&self, stage: &Stage) -> Result<(), DbErr> {
        if self.0.phase(stage.db()).await? == Phase::Required {
            return Ok(());
        }
        self.0.seal_rest(stage.db()).await?;
        UP.run(stage.manager(), &*self.0).await?;
        REQUIRED_GUARD.run(stage.manager(), &*self.0).await?;
        self.0.set_phase(stage.db(), Phase::Required).await
    }

    async fn release(&self, stage: &Stage) -> Result<(), DbErr> {
        let released_before = self.0.phase(stage.db()).await? == Phase::Filled;
        if released_before && stage.engine().has_transactional_ddl() {
            return Ok(());
        }
        self.0.set_phase(stage.db(), Phase::Filled).await?;
        DOWN.run(stage.manager(), &*self.0).await
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
