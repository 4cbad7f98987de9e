//! The work of a step that needs keys.

use async_trait::async_trait;
use sea_orm_migration::{DbErr, SchemaManager, SchemaManagerConnection};

use crate::{Phase, Phases};

/// The run lock, as steps see it.
#[async_trait]
pub trait RunLock: Send + Sync {
    /// Fails once the run lock is lost. Called before each statement that commits by itself.
    async fn require_lock(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
}

/// The keyed work of steps, done by the holder of the keys. Every call may be repeated after a crash: it does
/// what is left.
#[async_trait]
pub trait Backfill: RunLock {
    /// Makes the ring's first keys and its manifest, in the step's transaction where one is open.
    async fn make_ring(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr>;
    /// Returns whether any table has cells, of this program or of another.
    async fn has_cells(&self, db: &SchemaManagerConnection<'_>) -> Result<bool, DbErr>;
    /// Moves the step's table to one of its two phases, in separate transactions. Refuses a table in any phase
    /// outside that range, because the history, which names the step, is not authenticated.
    async fn migrate_to(
        &self,
        manager: &SchemaManager<'_>,
        step: Phases,
        to: Phase,
    ) -> Result<(), DbErr>;
    /// Rewrites a table, so that free space in the database's files holds no plaintext.
    async fn scrub(&self, manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr>;
    /// Lets the manifest carry the marks of its last epochs, with the guards that sealed tables lack; or removes the marks.
    async fn carry_lineage(&self, manager: &SchemaManager<'_>, carried: bool) -> Result<(), DbErr>;
}

/// For listing the steps, and for running those that need no keys. Refuses all work.
#[derive(Debug, Clone, Copy)]
pub struct NoKeys;

impl NoKeys {
    pub(crate) fn refuse<T>() -> Result<T, DbErr> {
        Err(DbErr::Migration("this step needs the key ring, and no key source was given".into()))
    }
}

#[async_trait]
impl RunLock for NoKeys {
    /// sea-orm's own tools take no lock.
    async fn require_lock(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Ok(())
    }
}

#[async_trait]
impl Backfill for NoKeys {
    async fn make_ring(&self, _: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn has_cells(&self, _: &SchemaManagerConnection<'_>) -> Result<bool, DbErr> {
        Self::refuse()
    }

    async fn migrate_to(&self, _: &SchemaManager<'_>, _: Phases, _: Phase) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn scrub(&self, _: &SchemaManager<'_>, _: &'static str) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn carry_lineage(&self, _: &SchemaManager<'_>, _: bool) -> Result<(), DbErr> {
        Self::refuse()
    }
}
