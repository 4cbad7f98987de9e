//! Step 2: the key ring, its manifest, and the reseal engine's records.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::journal;
use crate::sql::{bound_lock_waits, sql};
use crate::{Backfill, Engine, Sql, Step};

/// The ring's own tables, which a program with sealed tables of its own may have made before.
pub const RING: Sql = sql!("0002_create_key_ring.up.sql");
const DOWN: Sql = sql!("0002_create_key_ring.down.sql");

pub(crate) struct Migration(pub(crate) Arc<dyn Backfill>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "create_key_ring"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !is_made(manager.get_connection()).await? {
            RING.run(manager, &*self.0).await?;
        }
        self.0.make_ring(manager.get_connection()).await
    }

    /// Refused while the manifest says that there are cells, whatever the history says. A manifest that is
    /// gone already went in an earlier run, past that question.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bound_lock_waits(manager).await?;
        let asked_before =
            journal::lacks_table(manager.get_connection(), "strongroom_manifest").await?;
        if !asked_before && self.0.has_cells(manager.get_connection()).await? {
            return Err(DbErr::Migration(
                "the manifest says that a table has cells, which nothing could open without the ring".into(),
            ));
        }
        DOWN.run(manager, &*self.0).await
    }
}

/// Whether a program made the ring for its own tables before. Where each statement commits by itself, each looks for itself.
async fn is_made(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let engine = Engine::of(db).await?;
    let sql = match engine {
        Engine::Postgres => {
            "SELECT 1 AS there WHERE to_regclass('strongroom_manifest') IS NOT NULL"
        }
        Engine::Sqlite => "SELECT 1 AS there FROM sqlite_master WHERE name = 'strongroom_manifest'",
        Engine::MySql | Engine::MariaDb => return Ok(false),
    };
    Ok(db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?.is_some())
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![RING]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![DOWN]
    }

    fn down_destroys(&self) -> Option<&'static str> {
        Some(
            "drops the key ring, the manifest and the quarantine; cells in backups can then no longer be opened without a backup of the ring",
        )
    }
}
