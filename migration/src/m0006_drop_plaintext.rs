//! Step 6: the plaintext goes, once every cell has opened to it with writers excluded.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::m0003_add_sealed_columns::STALE_GUARD;
use crate::m0005_require_sealed::REQUIRED_GUARD;
use crate::sql::sql;
use crate::stage::Stage;
use crate::{Backfill, Phase, Sql, Step};

const UP: Sql = sql!("0006_drop_plaintext.up.sql");
const DOWN: Sql = sql!("0006_drop_plaintext.down.sql");
const RESTORED: Sql = sql!("0006_drop_plaintext.restored.sql");
/// Where each statement commits by itself, going up cleans up after every way down.
const ABANDONED: Sql = Sql {
    postgres: include_str!("../sql/postgres/0006_drop_plaintext.abandoned.sql"),
    sqlite: include_str!("../sql/sqlite/0006_drop_plaintext.abandoned.sql"),
    mysql: UP.mysql,
};
/// Where each statement commits by itself, one guard goes only when the next stands.
const RELEASED: Sql = Sql { postgres: "", sqlite: "", mysql: include_str!("../sql/mysql/0006_drop_plaintext.released.sql") };

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
        let stage = Stage::begin(manager, "credential").await?;
        let done = self.drop_plaintext(&stage).await;
        stage.end(done).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let stage = Stage::begin(manager, "credential").await?;
        let done = self.add_plaintext_columns(&stage).await;
        stage.end(done).await?;
        if self.0.phase(manager.get_connection()).await? != Phase::Restoring {
            return Ok(());
        }
        self.0.open(manager.get_connection()).await?;
        let stage = Stage::begin(manager, "credential").await?;
        let done = self.require_plaintext(&stage).await;
        stage.end(done).await
    }
}

/// The phase never promises what the database does not see to: it moves before what it releases, and after
/// what it requires. Under a transaction the order is of no consequence.
impl Migration {
    async fn drop_plaintext(&self, stage: &Stage) -> Result<(), DbErr> {
        let phase = self.0.phase(stage.db()).await?;
        if phase == Phase::Sealed && stage.engine().has_transactional_ddl() {
            return Ok(());
        }
        if !phase.cells_count() {
            self.0.verify(stage.db()).await?;
        }
        self.0.set_phase(stage.db(), Phase::Sealed).await?;
        let sql = if phase == Phase::Restoring { ABANDONED } else { UP };
        sql.run(stage.manager(), &*self.0).await
    }

    async fn add_plaintext_columns(&self, stage: &Stage) -> Result<(), DbErr> {
        if self.0.phase(stage.db()).await? != Phase::Sealed {
            return Ok(());
        }
        DOWN.run(stage.manager(), &*self.0).await?;
        self.0.set_phase(stage.db(), Phase::Restoring).await
    }

    async fn require_plaintext(&self, stage: &Stage) -> Result<(), DbErr> {
        self.0.open_rest(stage.db()).await?;
        for sql in [RESTORED, STALE_GUARD, REQUIRED_GUARD, RELEASED] {
            sql.run(stage.manager(), &*self.0).await?;
        }
        self.0.set_phase(stage.db(), Phase::Required).await
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![UP]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![DOWN, RESTORED, STALE_GUARD, REQUIRED_GUARD, RELEASED]
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
