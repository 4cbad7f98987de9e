//! The keyed work of Strongroom's own steps: the ring, and the phases of its own tables.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::DbErr;
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use strongroom_entity::own_table;
use strongroom_migration::{Backfill, Phase, Phases, RunLock};

use super::make_ring::make_ring;
use super::sealing::{Work, settled};
use crate::db::Lock;
use crate::key::{EpochFloor, Ring, RingAccess, Roots};
use crate::reseal::{Options, ResealError, require_lock, sealed_tables};

/// Does the keyed work of Strongroom's own steps, under the run lock.
pub struct KeyedSteps {
    roots: Option<Arc<Roots>>,
    floor: EpochFloor,
    lock: Arc<Lock>,
    options: Options,
}

impl KeyedSteps {
    /// The ring need not exist yet: step 2 makes it. Steps that need no keys run without roots.
    pub fn new(
        roots: Option<Arc<Roots>>,
        floor: impl Into<EpochFloor>,
        lock: Arc<Lock>,
        options: Options,
    ) -> Self {
        Self { roots, floor: floor.into(), lock, options }
    }

    fn work(&self, table: &str) -> Result<Work, DbErr> {
        Ok(Work {
            table: own_table(table)
                .ok_or_else(|| DbErr::Migration(format!("no sealed table `{table}`")))?,
            roots: self.roots.clone(),
            floor: self.floor.clone(),
            options: self.options.clone(),
            lock: self.lock.clone(),
        })
    }

    async fn read_tables(&self, db: &SchemaManagerConnection<'_>) -> Result<bool, ResealError> {
        let roots = self.roots.clone().ok_or(ResealError::NoRoot)?;
        let ring = Ring::load_without_keys(db, RingAccess::new(roots, self.floor.clone())).await?;
        Ok(!sealed_tables(&ring.manifest())?.is_empty())
    }
}

#[async_trait]
impl RunLock for KeyedSteps {
    async fn require_lock(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        require_lock(&self.lock, db).await
    }
}

#[async_trait]
impl Backfill for KeyedSteps {
    async fn make_ring(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        let roots = self.roots.clone().ok_or(ResealError::NoRoot)?;
        let access = RingAccess::new(roots, self.floor.clone());
        settled(make_ring(db, &access, &self.lock).await)
    }

    async fn has_cells(&self, db: &SchemaManagerConnection<'_>) -> Result<bool, DbErr> {
        Ok(self.read_tables(db).await?)
    }

    async fn migrate_to(
        &self,
        manager: &SchemaManager<'_>,
        step: Phases,
        to: Phase,
    ) -> Result<(), DbErr> {
        let work = self.work(step.table)?;
        work.require_between(manager, step).await?;
        work.migrate_to(manager, to).await
    }

    async fn scrub(&self, manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
        self.work(table)?.scrub(manager).await
    }
}
