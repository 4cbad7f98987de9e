//! The part of a stage for which writers are shut out.

use sea_orm::DbErr;
use sea_orm_migration::SchemaManagerConnection;
use strongroom_migration::{Phase, Stage};

use super::TableStage;
use crate::key::Manifest;
use crate::schema::sealing::error::Unsealable;
use crate::schema::sealing::inspect::{
    columns, is_half_way, refuse_rows_of_cells, refuse_triggers,
};
use crate::schema::sealing::original::{self, OriginalColumns};
use crate::schema::sealing::rebuild;
use crate::schema::sealing::text::Piece;

/// Work for which writers are shut out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Excluded {
    Require,
    Release,
    DropPlaintext,
    AddPlaintext,
    RestorePlaintext,
    GuardBorn,
}

impl TableStage<'_> {
    pub(super) async fn excluding_writers(&self, work: Excluded) -> Result<(), DbErr> {
        let stage = Stage::begin(self.manager, self.table.name).await?;
        let done = self.excluded(&stage, work).await;
        stage.end(done).await
    }

    /// What is done while nobody else writes.
    async fn excluded(&self, stage: &Stage, work: Excluded) -> Result<(), DbErr> {
        let db = stage.db();
        match work {
            Excluded::Require => {
                self.keyed.seal_rest(db).await?;
                self.run(db, Piece::Require).await?;
                Ok(self.keyed.set_phase(db, Phase::Required).await?)
            }
            Excluded::Release => {
                self.keyed.set_phase(db, Phase::Filled).await?;
                self.run(db, Piece::Release).await
            }
            Excluded::DropPlaintext => self.drop_plaintext(stage).await,
            Excluded::AddPlaintext => {
                refuse_triggers(db, self.table).await?;
                self.refuse_taken_since(db).await?;
                let originals = self.present(self.originals(db).await?, db).await?;
                self.run(db, Piece::AddPlaintext(&originals)).await?;
                Ok(self.keyed.set_phase(db, Phase::Restoring).await?)
            }
            Excluded::RestorePlaintext => {
                self.keyed.open_rest(db).await?;
                // What was written is read again: a session that is not strict cuts, and a trigger changes.
                self.keyed.verify(db).await?;
                let originals = self.originals(db).await?;
                rebuild::with_plaintext(stage, self.table, &originals).await?;
                self.run(db, Piece::RestorePlaintext(&originals)).await?;
                Ok(self.keyed.set_phase(db, Phase::Required).await?)
            }
            Excluded::GuardBorn => {
                refuse_rows_of_cells(db, self.engine, self.table).await?;
                self.run(db, Piece::GuardBorn).await?;
                let table = self.table;
                let change = move |manifest: &mut Manifest| {
                    manifest.describe(table)?;
                    manifest.set_phase(table.name, Phase::Sealed);
                    Ok(())
                };
                Ok(self.keyed.change_manifest(db, &change).await?)
            }
        }
    }

    async fn drop_plaintext(&self, stage: &Stage) -> Result<(), DbErr> {
        let (db, phase) = (stage.db(), self.keyed.phase(stage.db()).await?);
        let originals = self.originals(db).await?;
        if !phase.cells_count() {
            self.keyed.verify(db).await?;
        }
        // Also when the way back was cut short after it went.
        self.run(db, Piece::Bind).await?;
        self.keyed.set_phase(db, Phase::Sealed).await?;
        self.run(db, Piece::DropPlaintext(&originals)).await?;
        rebuild::without_plaintext(stage, self.table, &originals).await
    }

    async fn originals(&self, db: &SchemaManagerConnection<'_>) -> Result<OriginalColumns, DbErr> {
        original::read(self.table, &self.keyed.manifest(db).await?.originals(self.table.name))
    }

    /// Refuses a column that took the name of a plaintext column since: a killed run did not leave it.
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
        mut originals: OriginalColumns,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<OriginalColumns, DbErr> {
        let there = columns(db, self.engine, self.table).await?;
        let plain: Vec<_> = self.table.plain_columns().collect();
        for (_, original) in &mut originals {
            original.after = original.after.take().filter(|after| {
                let is_named = |name: &str| name.eq_ignore_ascii_case(after);
                there.iter().any(|(name, _)| is_named(name))
                    || plain.iter().any(|name| is_named(name))
            });
        }
        Ok(originals)
    }
}
