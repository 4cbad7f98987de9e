//! The part of a stage for which programs go on writing: whatever takes longer the larger the table is.

use std::sync::atomic::Ordering;

use sea_orm::DbErr;
use strongroom_migration::{Engine, Phase, RunLock as _, Stage};

use super::TableStage;
use crate::db::has_table;
use crate::schema::sealing::inspect::missing_guards;
use crate::schema::sealing::text::{Piece, changed};

impl TableStage<'_> {
    /// Requires cells of every row. The guards come first, so that no row is added without; then what is missing is sealed.
    pub(super) async fn require(&self) -> Result<(), DbErr> {
        if !self.is_prepared.load(Ordering::Acquire) {
            self.run_if_any(Piece::LetIn).await?;
            self.run_alone(Piece::GuardRequired).await?;
            self.keyed.seal_rest(self.db()).await?;
            self.run_alone(Piece::ProveRequired).await?;
            self.is_prepared.store(true, Ordering::Release);
        }
        if !self.engine.has_transactional_ddl() {
            self.run(self.db(), Piece::Require).await?;
            return Ok(self.keyed.set_phase(self.db(), Phase::Required).await?);
        }
        let stage = self.begin().await?;
        let done = async {
            self.run(stage.db(), Piece::Require).await?;
            Ok(self.keyed.set_phase(stage.db(), Phase::Required).await?)
        };
        let done = done.await;
        stage.end(done).await
    }

    /// The phase first: a row without cells is refused for a moment longer than it need be.
    pub(super) async fn release(&self) -> Result<(), DbErr> {
        if !self.engine.has_transactional_ddl() {
            self.keyed.set_phase(self.db(), Phase::Filled).await?;
            return self.run(self.db(), Piece::Release).await;
        }
        let stage = self.begin().await?;
        let done = async {
            self.keyed.set_phase(stage.db(), Phase::Filled).await?;
            self.run(stage.db(), Piece::Release).await
        };
        let done = done.await;
        stage.end(done).await
    }

    /// Takes away what a run left that was to require cells and was cut short.
    pub(super) async fn require_no_longer(&self) -> Result<(), DbErr> {
        let (required, dual) = (
            missing_guards(self.db(), self.table.name, Phase::Required).await?,
            missing_guards(self.db(), self.table.name, Phase::Dual).await?,
        );
        // Where each statement commits by itself the guards may be gone, and NOT NULL may not.
        if !self.engine.has_transactional_ddl() || required.len() < dual.len() + GUARDS {
            return self.run_alone(Piece::Release).await;
        }
        Ok(())
    }

    /// Opens every cell to its plaintext, but for the rows that change meanwhile.
    pub(super) async fn prove_cells(&self) -> Result<(), DbErr> {
        if self.is_prepared.load(Ordering::Acquire) {
            return Ok(());
        }
        self.run_if_any(Piece::LetIn).await?;
        self.run_alone(Piece::Record).await?;
        self.keyed.verify(self.db(), &changed(self.table)).await?;
        self.is_prepared.store(true, Ordering::Release);
        Ok(())
    }

    /// Opens every cell beside itself, but for the rows that change meanwhile.
    pub(super) async fn open_cells(&self) -> Result<(), DbErr> {
        if self.is_prepared.load(Ordering::Acquire) {
            return Ok(());
        }
        self.run_if_any(Piece::LetIn).await?;
        self.keyed.open(self.db()).await?;
        self.run_alone(Piece::Record).await?;
        self.keyed.open_rest(self.db(), &changed(self.table)).await?;
        self.is_prepared.store(true, Ordering::Release);
        Ok(())
    }

    pub(super) async fn stop_recording(&self) -> Result<(), DbErr> {
        if has_table(self.db(), &changed(self.table)).await? {
            self.run_alone(Piece::StopRecording).await?;
        }
        Ok(())
    }

    /// After a failure: takes away what holds programs back and does not have to stay.
    pub(in crate::schema::sealing) async fn abandon(&self) -> Result<(), DbErr> {
        self.keyed.require_lock(self.db()).await?;
        if self.phase().await? == Phase::Filled {
            self.require_no_longer().await?;
        }
        self.stop_recording().await
    }

    /// Runs a piece in a transaction of its own, where schema changes have such.
    pub(super) async fn run_alone(&self, piece: Piece<'_>) -> Result<(), DbErr> {
        if !self.engine.has_transactional_ddl() {
            return self.run(self.db(), piece).await;
        }
        if piece.of(self.table, self.engine).is_empty() {
            return Ok(());
        }
        let transaction = strongroom_migration::begin(self.manager).await?;
        self.run(transaction.get_connection(), piece).await?;
        self.keyed.require_lock(transaction.get_connection()).await?;
        transaction.commit().await
    }

    /// Runs a piece that only some engines have.
    pub(super) async fn run_if_any(&self, piece: Piece<'_>) -> Result<(), DbErr> {
        if piece.of(self.table, self.engine).is_empty() {
            return Ok(());
        }
        self.run_alone(piece).await
    }

    pub(super) async fn begin(&self) -> Result<Stage, DbErr> {
        Stage::begin(self.manager, self.table.name).await
    }

    /// Keeps writers out by triggers. On a cluster they are made on every node in the same order among all writes, and this
    /// node has all that came before once a read has waited for it.
    pub(super) async fn hold_writers(&self) -> Result<(), DbErr> {
        self.run(self.db(), Piece::Hold).await?;
        if self.engine == Engine::MariaDb {
            let name = self.engine.quoted(self.table.name);
            let read =
                format!("SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1 FROM {name} LIMIT 1");
            sea_orm::ConnectionTrait::execute_unprepared(self.db(), &read).await?;
        }
        Ok(())
    }
}

/// Those of required cells beside those of phase dual.
const GUARDS: usize = 2;
