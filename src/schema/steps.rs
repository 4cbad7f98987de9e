//! The keyed work of Strongroom's own steps: the ring, and the phases of its own tables.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use strongroom_entity::{OWN_TABLES, own_table};
use strongroom_migration::{Backfill, Phase, Phases, RunLock};

use super::make_ring::make_ring;
use super::sealing::{Work, settled};
use crate::db::history::{self, Entry};
use crate::db::{self, Lock};
use crate::key::{EpochFloor, Manifest, Ring, RingAccess, Roots};
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

    /// Recreates missing guards of a sealed table of Strongroom, for example after a backup was restored without its triggers.
    /// Returns the names of the missing guards. Fails if a row violates them.
    pub async fn restore_guards(
        &self,
        db: &DatabaseConnection,
        table: &str,
    ) -> Result<Vec<String>, DbErr> {
        let gone = self.work(table)?.restore_guards(&SchemaManager::new(db)).await?;
        if !gone.is_empty() {
            let name = format!("guards of {table}");
            let entry =
                Entry { number: None, name, kind: "guards", direction: "up", checksum: None };
            let row = history::begin(db, &self.lock, &entry).await?;
            history::finish(db, &self.lock, row).await?;
        }
        Ok(gone)
    }

    fn work(&self, table: &str) -> Result<Work, DbErr> {
        Ok(Work {
            table: own_table(table)
                .ok_or_else(|| DbErr::Migration(format!("no sealed table `{table}`")))?,
            roots: self.roots.clone(),
            floor: self.floor.clone(),
            options: self.options.clone(),
            lock: self.lock.clone(),
            is_prepared: AtomicBool::default(),
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

    async fn carry_lineage(&self, manager: &SchemaManager<'_>, carried: bool) -> Result<(), DbErr> {
        for table in OWN_TABLES.iter().filter(|_| carried) {
            if db::has_table(manager.get_connection(), table.name).await? {
                self.work(table.name)?.restore_guards(manager).await?;
            }
        }
        let change = move |manifest: &mut Manifest| {
            manifest.set_lineage(carried);
            Ok(())
        };
        self.work(strongroom_entity::credential::TABLE.name)?
            .change_manifest(manager, &change)
            .await
    }
}
