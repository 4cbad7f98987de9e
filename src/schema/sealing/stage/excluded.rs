//! The part of a stage for which writers are shut out.

use sea_orm::DbErr;
use sea_orm_migration::SchemaManagerConnection;
use strongroom_migration::{Phase, Stage};

use super::TableStage;
use crate::key::Manifest;
use crate::schema::sealing::error::Unsealable;
use crate::schema::sealing::inspect::{
    columns, is_half_way, missing_guards, refuse_rows_of_cells, refuse_triggers,
};
use crate::schema::sealing::original::{self, OriginalColumns};
use crate::schema::sealing::rebuild;
use crate::schema::sealing::text::{Piece, changed};

/// Work for which writers are shut out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Excluded {
    DropPlaintext,
    AddPlaintext,
    RestorePlaintext,
    GuardBorn,
}

impl TableStage<'_> {
    /// Within a transaction where schema changes have such; elsewhere triggers keep writers out.
    pub(super) async fn excluding_writers(&self, work: Excluded) -> Result<(), DbErr> {
        if !self.engine.has_transactional_ddl() {
            return self.holding_writers(work).await;
        }
        let stage = self.begin().await?;
        let done = self.excluded(Some(&stage), stage.db(), work).await;
        stage.end(done).await
    }

    /// Lets writers in again whatever became of the work, unless a plaintext column would stand open to them.
    async fn holding_writers(&self, work: Excluded) -> Result<(), DbErr> {
        if matches!(work, Excluded::GuardBorn) {
            return self.excluded(None, self.db(), work).await;
        }
        let mut done = self.hold_writers().await;
        if done.is_ok() {
            done = self.excluded(None, self.db(), work).await;
        }
        if done.is_err() && !self.is_guarded().await.unwrap_or(false) {
            return done;
        }
        let let_in = self.run(self.db(), Piece::LetIn).await;
        done.and(let_in)?;
        self.stop_recording().await
    }

    /// Whether the guards of some phase see to the plaintext columns, if there are any.
    async fn is_guarded(&self) -> Result<bool, DbErr> {
        // Otherwise a column with the name of a plaintext column is another one, and the program's.
        if self.phase().await? != Phase::Sealed || !is_half_way(self.db(), self.table).await? {
            return Ok(true);
        }
        for phase in [Phase::Required, Phase::Restoring] {
            if missing_guards(self.db(), self.table.name, phase).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is done while nobody else writes.
    async fn excluded(
        &self,
        stage: Option<&Stage>,
        db: &SchemaManagerConnection<'_>,
        work: Excluded,
    ) -> Result<(), DbErr> {
        match work {
            Excluded::DropPlaintext => self.drop_plaintext(stage, db).await,
            Excluded::AddPlaintext => {
                refuse_triggers(db, self.table).await?;
                self.refuse_taken_since(db).await?;
                let originals = self.present(self.originals(db).await?, db).await?;
                self.run(db, Piece::AddPlaintext(&originals)).await?;
                Ok(self.keyed.set_phase(db, Phase::Restoring).await?)
            }
            Excluded::RestorePlaintext => {
                self.keyed.open_changed(db, &changed(self.table)).await?;
                let originals = self.originals(db).await?;
                if let Some(stage) = stage {
                    self.run(db, Piece::StopRecording).await?;
                    rebuild::with_plaintext(stage, self.table, &originals).await?;
                }
                self.run(db, Piece::RestorePlaintext(&originals)).await?;
                Ok(self.keyed.set_phase(db, Phase::Required).await?)
            }
            Excluded::GuardBorn => {
                refuse_rows_of_cells(db, self.engine, self.table).await?;
                self.run(db, Piece::GuardBorn).await?;
                if stage.is_none() {
                    // Programs write on while the guards are made, and the rows before them are looked at once more.
                    refuse_rows_of_cells(db, self.engine, self.table).await?;
                }
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

    async fn drop_plaintext(
        &self,
        stage: Option<&Stage>,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<(), DbErr> {
        let phase = self.keyed.phase(db).await?;
        let originals = self.originals(db).await?;
        if !phase.cells_count() {
            self.keyed.verify_changed(db, &changed(self.table)).await?;
        }
        if stage.is_some() {
            self.run(db, Piece::StopRecording).await?;
        }
        // Also when the way back was cut short after it went.
        self.run(db, Piece::Bind).await?;
        self.keyed.set_phase(db, Phase::Sealed).await?;
        self.run(db, Piece::DropPlaintext(&originals)).await?;
        match stage {
            Some(stage) => rebuild::without_plaintext(stage, self.table, &originals).await,
            None => Ok(()),
        }
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
