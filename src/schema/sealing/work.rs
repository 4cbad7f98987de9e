//! What is done to one table under the run lock.

use std::sync::Arc;

use sea_orm::DbErr;
use sea_orm_migration::SchemaManager;
use strongroom_entity::SealedTable;
use strongroom_migration::{Engine, Phase, empty_write_ahead_log, run_sql};

use super::error::carry;
use super::lease::Held;
use super::stage::Move;
use super::text::Piece;
use super::way::next;
use crate::db;
use crate::key::{EpochFloor, Roots};
use crate::reseal::{Options, ResealBackfill};
use crate::schema::SchemaError;

/// One table, the keys, and the lock.
pub(super) struct Work {
    pub(super) table: &'static SealedTable,
    pub(super) roots: Arc<Roots>,
    pub(super) floor: EpochFloor,
    pub(super) options: Options,
    pub(super) held: Held,
}

impl Work {
    pub(super) async fn bring(&self, manager: &SchemaManager<'_>, to: Phase) -> Result<(), DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        if self.table.plain_columns().next().is_none() {
            return settled(db::retry!(self.guard_born(manager, engine, to)));
        }
        self.step(manager, engine).require_described().await?;
        if to == Phase::Sealed && self.step(manager, engine).is_made_sealed().await? {
            return settled(db::retry!(self.guard_born(manager, engine, to)));
        }
        loop {
            let now = self.step(manager, engine).phase().await?;
            let Some(next) = next(now, to) else { break };
            settled(db::retry!(self.move_on(manager, engine, now, next)))?;
        }
        settled(db::retry!(self.settle(manager, engine, to)))
    }

    pub(super) async fn forget(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        self.step(manager, engine).forget().await
    }

    pub(super) async fn scrub(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let engine = Engine::of(manager.get_connection()).await?;
        settled(db::retry!(self.scrub_once(manager, engine)))
    }

    /// Gives back a lock that was taken for this work alone.
    pub(super) async fn end(self, done: Result<(), DbErr>) -> Result<(), DbErr> {
        self.held.end().await;
        done
    }

    fn step<'a>(&self, manager: &'a SchemaManager<'a>, engine: Engine) -> Move<'a> {
        Move { manager, table: self.table, engine, backfill: self.backfill() }
    }

    fn backfill(&self) -> ResealBackfill {
        let (roots, lock) = (Some(self.roots.clone()), self.held.lock().clone());
        ResealBackfill::new(roots, self.floor.clone(), lock, self.options.clone()).of(self.table)
    }

    async fn move_on(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
        now: Phase,
        next: Phase,
    ) -> Result<(), SchemaError> {
        Ok(self.step(manager, engine).to(now, next).await?)
    }

    async fn settle(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
        phase: Phase,
    ) -> Result<(), SchemaError> {
        Ok(self.step(manager, engine).settle(phase).await?)
    }

    async fn guard_born(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
        to: Phase,
    ) -> Result<(), SchemaError> {
        Ok(self.step(manager, engine).guard_born(to).await?)
    }

    async fn scrub_once(
        &self,
        manager: &SchemaManager<'_>,
        engine: Engine,
    ) -> Result<(), SchemaError> {
        let (text, backfill) = (Piece::Scrub.of(self.table, engine), self.backfill());
        match engine {
            Engine::Postgres => {
                let transaction = strongroom_migration::begin(manager).await?;
                run_sql(transaction.get_connection(), engine, &text, &backfill).await?;
                Ok(transaction.commit().await?)
            }
            Engine::Sqlite => {
                run_sql(manager.get_connection(), engine, &text, &backfill).await?;
                Ok(empty_write_ahead_log(manager).await?)
            }
            Engine::MySql | Engine::MariaDb => {
                Ok(run_sql(manager.get_connection(), engine, &text, &backfill).await?)
            }
        }
    }
}

fn settled(done: Result<(), SchemaError>) -> Result<(), DbErr> {
    done.map_err(|error| match error {
        SchemaError::Database(error) => error,
        error => carry(error),
    })
}
