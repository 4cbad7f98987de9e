//! One step under the run lock, and what is written down about it.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::HostError;
use super::checksum::checksum;
use super::program::{KIND, Program};
use crate::db::history::{self, Entry};
use crate::db::{self, Dialect, Lock};
use crate::schema::mirror::mirror;

/// Whether a step and its history row are one transaction. MySQL and MariaDB commit at every schema change, what was
/// written down before it included.
pub(super) fn is_transactional(step: &dyn MigrationTrait, dialect: Dialect) -> bool {
    step.use_transaction() != Some(false) && dialect.has_transactional_ddl()
}

/// A run that holds the lock.
pub(super) struct Run<'a> {
    pub(super) db: &'a DatabaseConnection,
    pub(super) program: &'a Program,
    pub(super) lock: &'a Lock,
}

impl Run<'_> {
    /// Moves a step. Only what is one transaction is tried again after a failure that passes: nobody can say whether
    /// another step may be run twice.
    pub(super) async fn go(
        &self,
        number: usize,
        step: &dyn MigrationTrait,
        up: bool,
    ) -> Result<(), HostError> {
        let entry = self.entry(number, step, if up { "up" } else { "down" }).await;
        if is_transactional(step, Dialect::of(self.db)) {
            return db::retry!(self.in_transaction(&entry, step, up));
        }
        let row = db::retry!(self.write_begun(&entry))?;
        self.lock.look(self.db).await?;
        self.outside(step, up).await?;
        db::retry!(self.write_finished(row, step, up))
    }

    /// Writes down that another runner had applied a step, under the checksum of now.
    pub(super) async fn adopt(
        &self,
        number: usize,
        step: &dyn MigrationTrait,
    ) -> Result<(), HostError> {
        let entry = self.entry(number, step, "adopted").await;
        db::retry!(self.write_adopted(&entry, step))
    }

    async fn entry(
        &self,
        number: usize,
        step: &dyn MigrationTrait,
        direction: &'static str,
    ) -> Entry {
        Entry {
            number: i32::try_from(number).ok(),
            name: self.program.in_history(step.name()),
            kind: KIND,
            direction,
            checksum: Some(checksum(step, self.db.get_database_backend()).await),
        }
    }

    async fn in_transaction(
        &self,
        entry: &Entry,
        step: &dyn MigrationTrait,
        up: bool,
    ) -> Result<(), HostError> {
        let transaction = db::begin(self.db).await?;
        if let Some(impatience) = Dialect::of(self.db).impatience() {
            // An upgrade must not queue behind a long query with everybody else queued behind it. A step may say otherwise.
            transaction.execute_unprepared(impatience).await?;
        }
        moved(step, &SchemaManager::new(&transaction), up).await?;
        let row = history::begin(&transaction, self.lock, entry).await?;
        self.finish_and_commit(transaction, row, step, up).await
    }

    /// On MySQL and MariaDB a step may ask for a transaction: work on rows is then done wholly or not at all.
    async fn outside(&self, step: &dyn MigrationTrait, up: bool) -> Result<(), HostError> {
        if step.use_transaction() != Some(true) {
            return moved(step, &SchemaManager::new(self.db), up).await;
        }
        let transaction = db::begin(self.db).await?;
        moved(step, &SchemaManager::new(&transaction), up).await?;
        self.lock.fence(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn write_begun(&self, entry: &Entry) -> Result<i64, HostError> {
        let transaction = db::begin(self.db).await?;
        let row = history::begin(&transaction, self.lock, entry).await?;
        self.lock.fence(&transaction).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn write_finished(
        &self,
        row: i64,
        step: &dyn MigrationTrait,
        up: bool,
    ) -> Result<(), HostError> {
        let transaction = db::begin(self.db).await?;
        self.finish_and_commit(transaction, row, step, up).await
    }

    async fn write_adopted(
        &self,
        entry: &Entry,
        step: &dyn MigrationTrait,
    ) -> Result<(), HostError> {
        let transaction = db::begin(self.db).await?;
        let row = history::begin(&transaction, self.lock, entry).await?;
        self.finish_and_commit(transaction, row, step, true).await
    }

    async fn finish_and_commit(
        &self,
        transaction: DatabaseTransaction,
        row: i64,
        step: &dyn MigrationTrait,
        up: bool,
    ) -> Result<(), HostError> {
        history::finish(&transaction, self.lock, row).await?;
        mirror(&transaction, self.program.table.clone(), step.name(), up).await?;
        self.lock.fence(&transaction).await?;
        Ok(transaction.commit().await?)
    }
}

async fn moved(
    step: &dyn MigrationTrait,
    manager: &SchemaManager<'_>,
    up: bool,
) -> Result<(), HostError> {
    let moved = if up { step.up(manager).await } else { step.down(manager).await };
    moved.map_err(|source| HostError::Step { name: step.name().to_owned(), source })
}
