//! Step 6: the plaintext goes, once every cell has opened to it with writers excluded.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::m0003_add_sealed_columns::STALE_GUARD;
use crate::m0005_require_sealed::REQUIRED_GUARD;
use crate::sql::sql;
use crate::stage::Stage;
use crate::{Backfill, Engine, Phase, Sql, Step, journal};

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
const RELEASED: Sql = Sql {
    postgres: "",
    sqlite: "",
    mysql: include_str!("../sql/mysql/0006_drop_plaintext.released.sql"),
};

/// SQLite makes a table of step 1 anew, and leaves an adopted one its own constraints.
const ADOPTED_UP: Sql =
    Sql { sqlite: include_str!("../sql/sqlite/0006_drop_plaintext.adopted.up.sql"), ..UP };
const ADOPTED_RESTORED: Sql = Sql {
    sqlite: include_str!("../sql/sqlite/0006_drop_plaintext.adopted.restored.sql"),
    ..RESTORED
};

pub(crate) struct Migration {
    pub(crate) backfill: Arc<dyn Backfill>,
    pub(crate) is_adopted: bool,
}

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
        if self.backfill.phase(manager.get_connection()).await? != Phase::Restoring {
            return Ok(());
        }
        self.backfill.open(manager.get_connection()).await?;
        let stage = Stage::begin(manager, "credential").await?;
        let done = self.require_plaintext(&stage).await;
        stage.end(done).await
    }
}

/// The phase never promises what the database does not see to: it moves before what it releases, and after
/// what it requires. Under a transaction the order is of no consequence.
impl Migration {
    fn up(&self) -> Sql {
        if self.is_adopted { ADOPTED_UP } else { UP }
    }

    fn restored(&self) -> Sql {
        if self.is_adopted { ADOPTED_RESTORED } else { RESTORED }
    }

    async fn drop_plaintext(&self, stage: &Stage) -> Result<(), DbErr> {
        let phase = self.backfill.phase(stage.db()).await?;
        if phase == Phase::Sealed && stage.engine().has_transactional_ddl() {
            return Ok(());
        }
        if !phase.cells_count() {
            self.backfill.verify(stage.db()).await?;
        }
        self.backfill.set_phase(stage.db(), Phase::Sealed).await?;
        let sql = if phase == Phase::Restoring { ABANDONED } else { self.up() };
        sql.run(stage.manager(), &*self.backfill).await
    }

    async fn add_plaintext_columns(&self, stage: &Stage) -> Result<(), DbErr> {
        if self.backfill.phase(stage.db()).await? != Phase::Sealed {
            return Ok(());
        }
        // A STRICT table of SQLite has no varchar.
        let text = DOWN.of(stage.engine());
        let is_sqlite = self.is_adopted && stage.engine() == Engine::Sqlite;
        let text = if is_sqlite { text.replace("varchar(255)", "text") } else { text.into_owned() };
        journal::run(stage.db(), stage.engine(), &text, &*self.backfill).await?;
        self.backfill.set_phase(stage.db(), Phase::Restoring).await
    }

    async fn require_plaintext(&self, stage: &Stage) -> Result<(), DbErr> {
        self.backfill.open_rest(stage.db()).await?;
        for sql in [self.restored(), STALE_GUARD, REQUIRED_GUARD, RELEASED] {
            sql.run(stage.manager(), &*self.backfill).await?;
        }
        self.backfill.set_phase(stage.db(), Phase::Required).await
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![UP]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![DOWN, RESTORED, STALE_GUARD, REQUIRED_GUARD, RELEASED]
    }

    fn sql_instead(&self, engine: Engine, up: bool) -> Option<String> {
        (up && self.is_adopted && engine == Engine::Sqlite).then(|| ADOPTED_UP.sqlite.to_owned())
    }

    fn abandon_sql(&self) -> Vec<Sql> {
        vec![ABANDONED]
    }

    fn up_destroys(&self) -> Option<&'static str> {
        Some(
            "drops the plaintext columns access_key and secret_key, once every cell has opened to them",
        )
    }

    fn down_destroys(&self) -> Option<&'static str> {
        Some("puts the secrets back in the clear, beside the cells")
    }

    fn up_work(&self) -> Option<&'static str> {
        Some("opens every cell and compares it with its plaintext, with writers excluded")
    }

    fn down_work(&self) -> Option<&'static str> {
        Some(
            "opens every cell beside itself, page by page, then compares all of them with writers excluded",
        )
    }
}
