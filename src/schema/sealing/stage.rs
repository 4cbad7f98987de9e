//! The transitions of one table. After a crash each does what is left of it.
//!
//! Invariant: the phase never claims a guarantee that the database does not enforce. Relaxing: phase first.
//! Tightening: phase last. Within a transaction the order does not matter.

mod excluded;
mod online;

use std::sync::atomic::AtomicBool;

use sea_orm::DbErr;
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use strongroom_entity::SealedTable;
use strongroom_migration::{Engine, Phase, Stage, Transition, run_sql};

use super::error::Unsealable;
use super::inspect::{
    inspect, inspect_cells, is_half_way, is_made_sealed, missing_guards, refuse_rows, refuse_taken,
    refuse_triggers,
};
use super::original::{self, OriginalColumns};
use super::text::Piece;
use crate::key::Manifest;
use crate::reseal::{KeyedTable, forget_quarantined_table};

use excluded::Excluded;

/// One table and its keys. Made for each attempt: what a failed attempt remembers of the ring is not used again.
pub(super) struct TableStage<'a> {
    pub(super) manager: &'a SchemaManager<'a>,
    pub(super) table: &'static SealedTable,
    pub(super) engine: Engine,
    pub(super) keyed: KeyedTable,
    /// Whether an earlier attempt of this transition has done what is done while programs write.
    pub(super) is_prepared: &'a AtomicBool,
}

impl TableStage<'_> {
    pub(super) async fn phase(&self) -> Result<Phase, DbErr> {
        Ok(self.keyed.phase(self.db()).await?)
    }

    /// Refuses a description by which not all cells would be moved, or moved into other columns.
    pub(super) async fn require_described(&self) -> Result<(), DbErr> {
        let manifest = self.keyed.manifest(self.db()).await?;
        let differs = manifest.differences(self.table);
        match manifest.phase(self.table.name) {
            Some(phase) if phase != Phase::Plain && !differs.is_empty() => {
                Err(Unsealable::DescribedOtherwise {
                    table: self.table.name,
                    phase,
                    differs: differs.join(", "),
                }
                .into())
            }
            _ => Ok(()),
        }
    }

    /// Returns whether the table was made with its cells, though its entity names plaintext columns.
    pub(super) async fn is_made_sealed(&self) -> Result<bool, DbErr> {
        let is_new = !self.keyed.manifest(self.db()).await?.describes(self.table.name);
        Ok(is_new && is_made_sealed(self.db(), self.engine, self.table).await?)
    }

    /// Makes one transition. The only place that says what each consists of.
    pub(super) async fn make(&self, transition: Transition) -> Result<(), DbErr> {
        match transition {
            Transition::AddCells => self.add_cells().await,
            Transition::Fill => self.fill().await,
            Transition::Require => self.require().await,
            Transition::DropPlaintext => {
                self.prove_cells().await?;
                self.excluding_writers(Excluded::DropPlaintext).await
            }
            Transition::AbandonPlaintext => self.excluding_writers(Excluded::DropPlaintext).await,
            Transition::AddPlaintext => self.excluding_writers(Excluded::AddPlaintext).await,
            Transition::RestorePlaintext => self.restore_plaintext().await,
            Transition::Release => self.release().await,
            Transition::Unfill => self.unfill().await,
            Transition::DropCells => self.drop_cells().await,
        }
    }

    /// Does what a killed run left undone in the phase that was asked for, and lets writers in.
    pub(super) async fn settle(&self, phase: Phase) -> Result<(), DbErr> {
        let commits_by_statement = !self.engine.has_transactional_ddl();
        match phase {
            Phase::Plain
                if commits_by_statement
                    && self.keyed.manifest(self.db()).await?.describes(self.table.name) =>
            {
                self.drop_cells().await?;
            }
            Phase::Filled => self.require_no_longer().await?,
            // Otherwise a column with the name of a plaintext column is another one, and the program's.
            Phase::Sealed if commits_by_statement && is_half_way(self.db(), self.table).await? => {
                self.excluding_writers(Excluded::DropPlaintext).await?;
            }
            _ => {}
        }
        self.stop_recording().await?;
        self.run_if_any(Piece::LetIn).await
    }

    fn db(&self) -> &SchemaManagerConnection<'_> {
        self.manager.get_connection()
    }

    async fn run(&self, db: &SchemaManagerConnection<'_>, piece: Piece<'_>) -> Result<(), DbErr> {
        run_sql(db, self.engine, &piece.of(self.table, self.engine), &self.keyed).await
    }

    /// Inspects everything that could be in the way before the first change.
    async fn add_cells(&self) -> Result<(), DbErr> {
        let originals = inspect(self.db(), self.engine, self.table).await?;
        refuse_rows(self.db(), self.engine, self.table).await?;
        if !self.keyed.manifest(self.db()).await?.describes(self.table.name) {
            refuse_taken(self.db(), self.engine, self.table).await?;
        }
        if !self.engine.has_transactional_ddl() {
            return self.add_cells_on(self.db(), &originals).await;
        }
        let stage = Stage::begin(self.manager, self.table.name).await?;
        let done = self.add_cells_on(stage.db(), &originals).await;
        stage.end(done).await
    }

    async fn add_cells_on(
        &self,
        db: &SchemaManagerConnection<'_>,
        originals: &OriginalColumns,
    ) -> Result<(), DbErr> {
        let (table, written) = (self.table, original::written(originals)?);
        let change = move |manifest: &mut Manifest| {
            manifest.describe(table)?;
            manifest.set_originals(table.name, written.clone());
            Ok(())
        };
        self.keyed.change_manifest(db, &change).await?;
        self.run(db, Piece::AddCells).await?;
        Ok(self.keyed.set_phase(db, Phase::Dual).await?)
    }

    /// Plaintext counts, so that nothing is lost with the cells.
    async fn drop_cells(&self) -> Result<(), DbErr> {
        if !self.engine.has_transactional_ddl() {
            return self.drop_cells_on(self.db()).await;
        }
        let stage = Stage::begin(self.manager, self.table.name).await?;
        let done = self.drop_cells_on(stage.db()).await;
        stage.end(done).await
    }

    async fn drop_cells_on(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        self.keyed.set_phase(db, Phase::Plain).await?;
        self.run(db, Piece::DropCells).await?;
        self.forget_on(db).await
    }

    async fn fill(&self) -> Result<(), DbErr> {
        self.keyed.seal(self.db()).await?;
        Ok(self.keyed.set_phase(self.db(), Phase::Filled).await?)
    }

    async fn unfill(&self) -> Result<(), DbErr> {
        self.require_no_longer().await?;
        Ok(self.keyed.set_phase(self.db(), Phase::Dual).await?)
    }

    async fn restore_plaintext(&self) -> Result<(), DbErr> {
        self.open_cells().await?;
        self.excluding_writers(Excluded::RestorePlaintext).await
    }

    /// A table that was made with its cells gets their guards, or those that fit it now.
    pub(super) async fn guard_born(&self, to: Phase) -> Result<(), DbErr> {
        let now = self.phase().await?;
        if to != Phase::Sealed || !matches!(now, Phase::Plain | Phase::Sealed) {
            return Err(Unsealable::NeverPlain { table: self.table.name, now, to }.into());
        }
        inspect_cells(self.db(), self.engine, self.table).await?;
        if now == Phase::Plain {
            refuse_triggers(self.db(), self.table).await?;
        }
        self.excluding_writers(Excluded::GuardBorn).await
    }

    /// Recreates the guards of a sealed table if some are missing, and returns the names of the missing ones. Fails if a row
    /// violates them. In other phases the next transition creates them.
    pub(super) async fn restore_guards(&self) -> Result<Vec<String>, DbErr> {
        let phase = self.phase().await?;
        let gone = missing_guards(self.db(), self.table.name, phase).await?;
        if phase == Phase::Sealed && !gone.is_empty() {
            self.excluding_writers(Excluded::GuardBorn).await?;
            return Ok(gone);
        }
        Ok(Vec::new())
    }

    /// Takes the guards away and the table out of the ring's care.
    pub(super) async fn forget(&self) -> Result<(), DbErr> {
        let never_plain = self.table.plain_columns().next().is_none();
        if !never_plain && self.phase().await? != Phase::Plain {
            return Err(Unsealable::StillSealed(self.table.name).into());
        }
        if self.engine.has_transactional_ddl()
            && matches!(self.db(), SchemaManagerConnection::Connection(_))
        {
            let transaction = strongroom_migration::begin(self.manager).await?;
            self.run(transaction.get_connection(), Piece::DropGuards).await?;
            self.forget_on(transaction.get_connection()).await?;
            return transaction.commit().await;
        }
        self.run(self.db(), Piece::DropGuards).await?;
        self.forget_on(self.db()).await
    }

    async fn forget_on(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        let table = self.table;
        forget_quarantined_table(db, table.name).await?;
        let change = move |manifest: &mut Manifest| {
            manifest.forget(table.name);
            Ok(())
        };
        Ok(self.keyed.change_manifest(db, &change).await?)
    }
}
