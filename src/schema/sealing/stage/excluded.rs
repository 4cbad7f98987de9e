//! The part of a stage for which writers are shut out.

use sea_orm::DbErr;
use sea_orm_migration::SchemaManagerConnection;
use strongroom_migration::{Backfill as _, Phase, Stage};

use super::Move;
use crate::schema::sealing::error::Unsealable;
use crate::schema::sealing::former::{self, Formers};
use crate::schema::sealing::look::{columns, is_half_way, refuse_rows_of_cells, refuse_triggers};
use crate::schema::sealing::rebuild;
use crate::schema::sealing::text::Piece;

/// Work for which writers are shut out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Excluded {
    Require,
    Release,
    DropPlaintext,
    AddPlaintext,
    Restore,
    GuardBorn,
}

impl Move<'_> {
    pub(super) async fn within_stage(&self, work: Excluded) -> Result<(), DbErr> {
        let stage = Stage::begin(self.manager, self.table.name).await?;
        let done = self.excluded(&stage, work).await;
        stage.end(done).await
    }

    /// What is done while nobody else writes.
    async fn excluded(&self, stage: &Stage, work: Excluded) -> Result<(), DbErr> {
        let db = stage.db();
        match work {
            Excluded::Require => {
                self.backfill.seal_rest(db).await?;
                self.run(db, Piece::Require).await?;
                self.backfill.set_phase(db, Phase::Required).await
            }
            Excluded::Release => {
                self.backfill.set_phase(db, Phase::Filled).await?;
                self.run(db, Piece::Release).await
            }
            Excluded::DropPlaintext => self.drop_plaintext(stage).await,
            Excluded::AddPlaintext => {
                refuse_triggers(db, self.table).await?;
                self.refuse_taken_since(db).await?;
                let formers = self.present(self.formers(db).await?, db).await?;
                self.run(db, Piece::AddPlaintext(&formers)).await?;
                self.backfill.set_phase(db, Phase::Restoring).await
            }
            Excluded::Restore => {
                self.backfill.open_rest(db).await?;
                // What was written is read again: a session that is not strict cuts, and a trigger changes.
                self.backfill.verify(db).await?;
                let formers = self.formers(db).await?;
                rebuild::with_plaintext(stage, self.table, &formers).await?;
                self.run(db, Piece::Restore(&formers)).await?;
                self.backfill.set_phase(db, Phase::Required).await
            }
            Excluded::GuardBorn => {
                refuse_rows_of_cells(db, self.engine, self.table).await?;
                self.run(db, Piece::GuardBorn).await?;
                let table = self.table;
                self.backfill
                    .change_manifest(db, &move |manifest| {
                        manifest.describe(table)?;
                        manifest.set_phase(table.name, Phase::Sealed);
                        Ok(())
                    })
                    .await
            }
        }
    }

    async fn drop_plaintext(&self, stage: &Stage) -> Result<(), DbErr> {
        let (db, phase) = (stage.db(), self.backfill.phase(stage.db()).await?);
        let formers = self.formers(db).await?;
        if !phase.cells_count() {
            self.backfill.verify(db).await?;
        }
        // Also when the way back was cut short after it went.
        self.run(db, Piece::Bind).await?;
        self.backfill.set_phase(db, Phase::Sealed).await?;
        self.run(db, Piece::DropPlaintext(&formers)).await?;
        rebuild::without_plaintext(stage, self.table, &formers).await
    }

    async fn formers(&self, db: &SchemaManagerConnection<'_>) -> Result<Formers, DbErr> {
        former::read(self.table, &self.backfill.manifest(db).await?.former(self.table.name))
    }

    /// A column of a former name that came since is not taken for what a stage that was cut short left.
    async fn refuse_taken_since(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        let there = columns(db, self.engine, self.table).await?;
        let is_there =
            |column: &&str| there.iter().any(|(name, _)| name.eq_ignore_ascii_case(column));
        match self.table.plain_columns().find(is_there) {
            Some(column)
                if self.engine.has_transactional_ddl() || !is_half_way(db, self.table).await? =>
            {
                Err(Unsealable::ColumnTaken { table: self.table.name, column }.into())
            }
            _ => Ok(()),
        }
    }

    /// A column may have gone since, after which another stood.
    async fn present(
        &self,
        mut formers: Formers,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<Formers, DbErr> {
        let there = columns(db, self.engine, self.table).await?;
        let plain: Vec<_> = self.table.plain_columns().collect();
        for (_, former) in &mut formers {
            former.after = former.after.take().filter(|after| {
                let is_named = |name: &str| name.eq_ignore_ascii_case(after);
                there.iter().any(|(name, _)| is_named(name))
                    || plain.iter().any(|name| is_named(name))
            });
        }
        Ok(formers)
    }
}
