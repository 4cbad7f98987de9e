//! One table under the run lock, with retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::DbErr;
use sea_orm_migration::SchemaManager;
use strongroom_entity::SealedTable;
use strongroom_migration::{Engine, Phase, Phases, Transition, run_sql};
use tokio::sync::OnceCell;

use super::scrub::empty_write_ahead_log;
use super::stage::TableStage;
use super::text::Piece;
use crate::db::{self, Lock, wrapped};
use crate::key::{EpochFloor, Roots};
use crate::reseal::{Change, KeyedTable, Options, ResealError};
use crate::schema::SchemaError;

/// One table, the keys, and the lock.
pub(in crate::schema) struct Work {
    pub(in crate::schema) table: &'static SealedTable,
    pub(in crate::schema) roots: Option<Arc<Roots>>,
    pub(in crate::schema) floor: EpochFloor,
    pub(in crate::schema) options: Options,
    pub(in crate::schema) lock: Arc<Lock>,
    /// Whether what is done while programs write is done, in the transition that is being made.
    pub(in crate::schema) is_prepared: AtomicBool,
}

impl Work {
    /// Moves the table to a phase, one transition after the other.
    pub(in crate::schema) async fn migrate_to(
        &self,
        manager: &SchemaManager<'_>,
        to: Phase,
    ) -> Result<(), DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        if self.table.plain_columns().next().is_none() {
            return settled(db::retry!(self.guard_born(manager, engine, to)));
        }
        self.stage(manager, engine).require_described().await?;
        if to == Phase::Sealed && self.stage(manager, engine).is_made_sealed().await? {
            return settled(db::retry!(self.guard_born(manager, engine, to)));
        }
        loop {
            let now = self.stage(manager, engine).phase().await?;
            let Some(transition) = Transition::first(now, to) else { break };
            self.is_prepared.store(false, Ordering::Release);
            let made = settled(db::retry!(self.make(manager, engine, transition)));
            if made.is_err()
                && let Err(error) = self.stage(manager, engine).abandon().await
            {
                tracing::info!(%error, "what the failed transition had begun was not taken back");
            }
            made?;
        }
        settled(db::retry!(self.settle(manager, engine, to)))?;
        if to == Phase::Sealed {
            self.restore_guards(manager).await?;
        }
        Ok(())
    }

    /// Recreates missing guards of a sealed table, and returns the names of the missing ones.
    pub(in crate::schema) async fn restore_guards(
        &self,
        manager: &SchemaManager<'_>,
    ) -> Result<Vec<String>, DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        settled(db::retry!(self.restore(manager, engine)))
    }

    /// Changes the manifest under the run lock.
    pub(in crate::schema) async fn change_manifest(
        &self,
        manager: &SchemaManager<'_>,
        change: &Change,
    ) -> Result<(), DbErr> {
        Ok(self.keyed().change_manifest(manager.get_connection(), change).await?)
    }

    /// Refuses a table whose phase lies outside both ends of a step.
    pub(in crate::schema) async fn require_between(
        &self,
        manager: &SchemaManager<'_>,
        step: Phases,
    ) -> Result<(), DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        let found = self.stage(manager, engine).phase().await?;
        if (step.below..=step.above).contains(&found) {
            return Ok(());
        }
        Err(ResealError::WrongPhase { found: found.as_str() }.into())
    }

    pub(super) async fn forget(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        self.stage(manager, engine).forget().await
    }

    /// Rewrites the table, so that free space holds no plaintext.
    pub(in crate::schema) async fn scrub(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        settled(db::retry!(self.scrub_once(manager, engine)))
    }

    fn stage<'a>(&'a self, manager: &'a SchemaManager<'a>, engine: Engine) -> TableStage<'a> {
        TableStage {
            manager,
            table: self.table,
            engine,
            keyed: self.keyed(),
            is_prepared: &self.is_prepared,
        }
    }

    fn keyed(&self) -> KeyedTable {
        KeyedTable {
            table: self.table,
            roots: self.roots.clone(),
            floor: self.floor.clone(),
            lock: self.lock.clone(),
            options: self.options.clone(),
            ring: OnceCell::new(),
        }
    }

    async fn make(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
        transition: Transition,
    ) -> Result<(), SchemaError> {
        Ok(self.stage(manager, engine).make(transition).await?)
    }

    async fn settle(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
        phase: Phase,
    ) -> Result<(), SchemaError> {
        Ok(self.stage(manager, engine).settle(phase).await?)
    }

    async fn restore(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
    ) -> Result<Vec<String>, SchemaError> {
        Ok(self.stage(manager, engine).restore_guards().await?)
    }

    async fn guard_born(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
        to: Phase,
    ) -> Result<(), SchemaError> {
        Ok(self.stage(manager, engine).guard_born(to).await?)
    }

    async fn scrub_once(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
    ) -> Result<(), SchemaError> {
        let (text, lock) = (Piece::Scrub.of(self.table, engine), self.keyed());
        match engine {
            Engine::Postgres => {
                let transaction = strongroom_migration::begin(manager).await?;
                run_sql(transaction.get_connection(), engine, &text, &lock).await?;
                Ok(transaction.commit().await?)
            }
            Engine::Sqlite => {
                run_sql(manager.get_connection(), engine, &text, &lock).await?;
                Ok(empty_write_ahead_log(manager).await?)
            }
            Engine::MySql | Engine::MariaDb => {
                Ok(run_sql(manager.get_connection(), engine, &text, &lock).await?)
            }
        }
    }
}

/// Passes the error on through sea-orm.
pub(in crate::schema) fn settled<T>(done: Result<T, SchemaError>) -> Result<T, DbErr> {
    done.map_err(|error| match error {
        SchemaError::Database(error) => error,
        error => wrapped(error),
    })
}
