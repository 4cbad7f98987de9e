//! Sealing the columns of a program's own tables, from that program's own migration steps.
//!
//! Promises: a table goes from one phase to the next as Strongroom's own does, forward and back, under the run lock; after
//! a crash the same call goes on; whatever could not be given back is refused before anything happens; in every phase the
//! database itself refuses plaintext in a cell column, and a row that would lose a value; where cells count, it refuses to
//! move a row away from what its cells are bound to.
//!
//! Does not promise: comments, grants and, on PostgreSQL, the place of a column that was dropped; uniqueness as a
//! collation sees it (a blind index compares bytes).

mod create_table;
mod error;
mod former;
mod guard;
mod look;
mod plan;
mod rebuild;
mod stage;
mod text;

use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DbErr};
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use strongroom_entity::SealedTable;
use strongroom_migration::{Engine, Phase, empty_write_ahead_log, run_sql};

pub use error::Unsealable;
use stage::{Move, next};
use text::Piece;

use super::SchemaError;
use crate::db::{self, Lock};
use crate::key::Roots;
use crate::reseal::{Options, ResealBackfill};

/// Brings tables to a phase: the keys, the run lock, and how runs are to behave.
///
/// A step of the host program that seals a table returns `Some(false)` from `use_transaction`, and calls
/// [`Sealing::bring`] with [`Phase::Sealed`] on its way up and with [`Phase::Plain`] on its way down; or several steps do,
/// each with a phase of its own.
#[derive(Clone)]
pub struct Sealing {
    roots: Arc<Roots>,
    minimum_epoch: i64,
    lock: Arc<Lock>,
    options: Options,
}

impl Sealing {
    /// The ring must be there: see [`install_ring`](super::install_ring). Progress is told through the options.
    pub fn new(roots: Arc<Roots>, minimum_epoch: i64, lock: Arc<Lock>, options: Options) -> Self {
        Self { roots, minimum_epoch, lock, options }
    }

    /// Brings a table to a phase, forward or back, one stage after the other. After a crash the same call goes on, and so
    /// does one with another phase. On a mock connection it only says the SQL that it would run.
    ///
    /// To end it early, ask through [`Options::stop`]. Where the future is dropped instead, the pool must be closed: on MySQL
    /// and MariaDB a session of it may hold locks on the table until then.
    ///
    /// A table whose columns were sealed from the start goes to [`Phase::Sealed`] and nowhere else: its guards are made, or
    /// made anew after its description has changed. The unique keys on its blind indexes are those that the host made.
    pub async fn bring(&self, manager: &SchemaManager<'_>, table: &'static SealedTable, to: Phase) -> Result<(), DbErr> {
        let SchemaManagerConnection::Connection(db) = manager.get_connection() else {
            return Err(Unsealable::InTransaction.into());
        };
        if db.is_mock_connection() {
            return plan::say(db, table, to).await;
        }
        let engine = Engine::of(*db).await?;
        if table.plain_columns().next().is_none() {
            return settled(db::retry!(self.guard_born(manager, table, engine, to)));
        }
        loop {
            let now = self.step(manager, table, engine).phase().await?;
            let Some(next) = next(now, to) else { break };
            settled(db::retry!(self.move_on(manager, table, engine, now, next)))?;
        }
        settled(db::retry!(self.settle(manager, table, engine, to)))
    }

    /// Takes a table out of the ring's care that is about to be dropped, with its guards. One with plaintext columns must
    /// be in phase `plain`. Safe to run again, also once the table is gone.
    pub async fn forget(&self, manager: &SchemaManager<'_>, table: &'static SealedTable) -> Result<(), DbErr> {
        if let SchemaManagerConnection::Connection(db) = manager.get_connection()
            && db.is_mock_connection()
        {
            return plan::say_piece(db, table, Piece::DropGuards).await;
        }
        let engine = Engine::of(manager.get_connection()).await?;
        self.step(manager, table, engine).forget().await
    }

    /// Writes a table anew, so that free space in the database's files holds no plaintext. Not promised: logs, replicas,
    /// backups, and the disk below the files. Outside transactions only.
    pub async fn scrub(&self, manager: &SchemaManager<'_>, table: &'static SealedTable) -> Result<(), DbErr> {
        let SchemaManagerConnection::Connection(db) = manager.get_connection() else {
            return Err(Unsealable::InTransaction.into());
        };
        if db.is_mock_connection() {
            return plan::say_piece(db, table, Piece::Scrub).await;
        }
        let engine = Engine::of(*db).await?;
        settled(db::retry!(self.scrub_once(manager, table, engine)))
    }

    fn step<'a>(&self, manager: &'a SchemaManager<'a>, table: &'static SealedTable, engine: Engine) -> Move<'a> {
        Move { manager, table, engine, backfill: self.backfill(table) }
    }

    fn backfill(&self, table: &'static SealedTable) -> ResealBackfill {
        ResealBackfill::new(Some(self.roots.clone()), self.minimum_epoch, self.lock.clone(), self.options.clone()).of(table)
    }

    async fn move_on(
        &self,
        manager: &SchemaManager<'_>,
        table: &'static SealedTable,
        engine: Engine,
        now: Phase,
        next: Phase,
    ) -> Result<(), SchemaError> {
        Ok(self.step(manager, table, engine).to(now, next).await?)
    }

    async fn settle(
        &self,
        manager: &SchemaManager<'_>,
        table: &'static SealedTable,
        engine: Engine,
        phase: Phase,
    ) -> Result<(), SchemaError> {
        Ok(self.step(manager, table, engine).settle(phase).await?)
    }

    async fn guard_born(
        &self,
        manager: &SchemaManager<'_>,
        table: &'static SealedTable,
        engine: Engine,
        to: Phase,
    ) -> Result<(), SchemaError> {
        Ok(self.step(manager, table, engine).guard_born(to).await?)
    }

    async fn scrub_once(
        &self,
        manager: &SchemaManager<'_>,
        table: &'static SealedTable,
        engine: Engine,
    ) -> Result<(), SchemaError> {
        let (text, backfill) = (Piece::Scrub.of(table, engine), self.backfill(table));
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
            Engine::MySql | Engine::MariaDb => Ok(run_sql(manager.get_connection(), engine, &text, &backfill).await?),
        }
    }
}

/// Steps speak `DbErr`.
fn settled(done: Result<(), SchemaError>) -> Result<(), DbErr> {
    done.map_err(|error| match error {
        SchemaError::Database(error) => error,
        error => DbErr::Custom(error.to_string()),
    })
}
