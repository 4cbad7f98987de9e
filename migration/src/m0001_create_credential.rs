//! Step 1: the credential table in the clear, as control planes have it, or one that is adopted.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use crate::journal;
use crate::sql::{bound_lock_waits, sql};
use crate::{Adoption, Backfill, Engine, Sql, Step};

const UP: Sql = sql!("0001_create_credential.up.sql");
const DOWN: Sql = sql!("0001_create_credential.down.sql");

pub(crate) struct Migration {
    pub(crate) backfill: Arc<dyn Backfill>,
    pub(crate) adopted: Option<Adoption>,
}

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "create_credential"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let Some(adopted) = &self.adopted else { return UP.run(manager, &*self.backfill).await };
        bound_lock_waits(manager).await?;
        let engine = Engine::of(manager.get_connection()).await?;
        journal::run(manager.get_connection(), engine, &adopted.adopt(engine), &*self.backfill)
            .await
    }

    /// An adopted table is given back with its rows.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bound_lock_waits(manager).await?;
        let Some(adopted) = &self.adopted else { return DOWN.run(manager, &*self.backfill).await };
        let db = manager.get_connection();
        let engine = Engine::of(db).await?;
        journal::run(db, engine, &adopted.release(engine), &*self.backfill).await
    }
}

impl Step for Migration {
    fn up_sql(&self) -> Vec<Sql> {
        vec![UP]
    }

    fn down_sql(&self) -> Vec<Sql> {
        vec![DOWN]
    }

    fn sql_instead(&self, engine: Engine, up: bool) -> Option<String> {
        let adopted = self.adopted.as_ref()?;
        Some(if up { adopted.adopt(engine) } else { adopted.release(engine) })
    }

    fn needs_keys(&self) -> bool {
        false
    }

    fn down_destroys(&self) -> Option<&'static str> {
        match self.adopted {
            None => Some("drops table credential with every row in it"),
            Some(_) => Some("gives the adopted table back as it was, in the clear"),
        }
    }
}
