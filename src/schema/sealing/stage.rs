//! The stages, each from one phase to a neighbour. After a crash each does what is left of it.
//!
//! The phase never promises what the database does not see to: it moves before what it releases, and after what it
//! requires. Under a transaction the order is of no consequence.

mod excluded;

use sea_orm::DbErr;
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use strongroom_entity::SealedTable;
use strongroom_migration::{Backfill as _, Engine, Phase, Stage, run_sql};

use super::error::Unsealable;
use super::former::{self, Formers};
use super::look::{
    is_half_way, is_made_sealed, look, look_at_cells, refuse_rows, refuse_taken, refuse_triggers,
};
use super::text::Piece;
use crate::reseal::{ResealBackfill, forget_quarantined_table};

use excluded::Excluded;

/// One stage of one table. Made anew for each attempt: what an attempt that failed remembers of the ring is not used again.
pub(super) struct Move<'a> {
    pub(super) manager: &'a SchemaManager<'a>,
    pub(super) table: &'static SealedTable,
    pub(super) engine: Engine,
    pub(super) backfill: ResealBackfill,
}

impl Move<'_> {
    pub(super) async fn phase(&self) -> Result<Phase, DbErr> {
        self.backfill.phase(self.db()).await
    }

    /// Refuses a description by which not all cells would be moved, or moved into other columns.
    pub(super) async fn require_described(&self) -> Result<(), DbErr> {
        let manifest = self.backfill.manifest(self.db()).await?;
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

    /// Whether the table was made with its cells, though its entity says where plaintext would be.
    pub(super) async fn is_made_sealed(&self) -> Result<bool, DbErr> {
        let is_new = !self.backfill.manifest(self.db()).await?.describes(self.table.name);
        Ok(is_new && is_made_sealed(self.db(), self.engine, self.table).await?)
    }

    /// From one phase to its neighbour.
    pub(super) async fn to(&self, now: Phase, next: Phase) -> Result<(), DbErr> {
        match (now, next) {
            (Phase::Plain, _) => self.add_cells().await,
            (Phase::Dual, Phase::Plain) => self.drop_cells().await,
            (Phase::Dual, _) => self.fill().await,
            (Phase::Filled, Phase::Dual) => self.empty().await,
            (Phase::Filled | Phase::Restoring, Phase::Required) if now == Phase::Restoring => {
                self.restore().await
            }
            (Phase::Filled, _) => self.within_stage(Excluded::Require).await,
            (Phase::Required, Phase::Filled) => self.within_stage(Excluded::Release).await,
            (Phase::Required | Phase::Restoring, _) => {
                self.within_stage(Excluded::DropPlaintext).await
            }
            (Phase::Sealed, _) => self.within_stage(Excluded::AddPlaintext).await,
        }
    }

    /// Where each statement commits by itself: what a stage that was cut short left in the phase that was asked for.
    pub(super) async fn settle(&self, phase: Phase) -> Result<(), DbErr> {
        if self.engine.has_transactional_ddl() {
            return Ok(());
        }
        match phase {
            Phase::Plain if self.backfill.manifest(self.db()).await?.describes(self.table.name) => {
                self.drop_cells().await
            }
            Phase::Filled => self.run(self.db(), Piece::Release).await,
            // Without anything half-way, a column of a former name is another one, and the host's.
            Phase::Sealed if is_half_way(self.db(), self.table).await? => {
                self.within_stage(Excluded::DropPlaintext).await
            }
            _ => Ok(()),
        }
    }

    fn db(&self) -> &SchemaManagerConnection<'_> {
        self.manager.get_connection()
    }

    async fn run(&self, db: &SchemaManagerConnection<'_>, piece: Piece<'_>) -> Result<(), DbErr> {
        run_sql(db, self.engine, &piece.of(self.table, self.engine), &self.backfill).await
    }

    /// Looks at everything that could be in the way, while nothing is changed yet.
    async fn add_cells(&self) -> Result<(), DbErr> {
        let formers = look(self.db(), self.engine, self.table).await?;
        refuse_rows(self.db(), self.engine, self.table).await?;
        if !self.backfill.manifest(self.db()).await?.describes(self.table.name) {
            refuse_taken(self.db(), self.engine, self.table).await?;
        }
        if !self.engine.has_transactional_ddl() {
            return self.add_cells_on(self.db(), &formers).await;
        }
        let stage = Stage::begin(self.manager, self.table.name).await?;
        let done = self.add_cells_on(stage.db(), &formers).await;
        stage.end(done).await
    }

    async fn add_cells_on(
        &self,
        db: &SchemaManagerConnection<'_>,
        formers: &Formers,
    ) -> Result<(), DbErr> {
        let (table, written) = (self.table, former::written(formers)?);
        self.backfill
            .change_manifest(db, &move |manifest| {
                manifest.describe(table)?;
                manifest.set_former(table.name, written.clone());
                Ok(())
            })
            .await?;
        self.run(db, Piece::AddCells).await?;
        self.backfill.set_phase(db, Phase::Dual).await
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
        self.backfill.set_phase(db, Phase::Plain).await?;
        self.run(db, Piece::DropCells).await?;
        self.forget_on(db).await
    }

    async fn fill(&self) -> Result<(), DbErr> {
        self.backfill.seal(self.db()).await?;
        self.backfill.set_phase(self.db(), Phase::Filled).await
    }

    async fn empty(&self) -> Result<(), DbErr> {
        if !self.engine.has_transactional_ddl() {
            self.run(self.db(), Piece::Release).await?;
        }
        self.backfill.set_phase(self.db(), Phase::Dual).await
    }

    async fn restore(&self) -> Result<(), DbErr> {
        self.backfill.open(self.db()).await?;
        self.within_stage(Excluded::Restore).await
    }

    /// A table that was made with its cells gets their guards, or those that fit it now.
    pub(super) async fn guard_born(&self, to: Phase) -> Result<(), DbErr> {
        let now = self.phase().await?;
        if to != Phase::Sealed || !matches!(now, Phase::Plain | Phase::Sealed) {
            return Err(Unsealable::NeverPlain { table: self.table.name, now, to }.into());
        }
        look_at_cells(self.db(), self.engine, self.table).await?;
        if now == Phase::Plain {
            refuse_triggers(self.db(), self.table).await?;
        }
        self.within_stage(Excluded::GuardBorn).await
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
        self.backfill
            .change_manifest(db, &move |manifest| {
                manifest.forget(table.name);
                Ok(())
            })
            .await
    }
}
