//! Running steps, one after the other, under the lock.

use std::sync::Arc;

use sea_orm::sea_query::{Alias, IntoIden as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use sea_orm_migration::SchemaManager;
use strongroom_migration::{Engine, NoKeys, RUNNER, Step};

use super::adoption::forget_adoption;
use super::checksum::checksum;
use super::mirror::mirror;
use super::status::KIND;
use super::{SchemaError, State, Status, status};
use crate::db::history::{self, Entry};
use crate::db::{self, Dialect, Lock};
use crate::reseal::Stop;

/// Where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Up to this version.
    Up(usize),
    /// Down to this version.
    Down(usize),
}

/// Makes the runner's own tables where they are missing. Safe to run again and beside others.
pub async fn install(db: &DatabaseConnection) -> Result<(), SchemaError> {
    db::retry!(install_once(db))
}

async fn install_once(db: &DatabaseConnection) -> Result<(), SchemaError> {
    if db::has_table(db, "strongroom_adoption").await?
        && db::has_table(db, "strongroom_history").await?
    {
        return Ok(());
    }
    let dialect = Dialect::of(db);
    if !dialect.has_transactional_ddl() {
        return Ok(RUNNER.run(&SchemaManager::new(db), &NoKeys).await?);
    }
    let transaction = db::begin(db).await?;
    if let Some(lock) = dialect.creation_lock("strongroom runner") {
        transaction.execute_unprepared(&lock).await?;
    }
    RUNNER.run(&SchemaManager::new(&transaction), &NoKeys).await?;
    Ok(transaction.commit().await?)
}

/// Runs steps under the run lock.
pub struct Runner {
    db: DatabaseConnection,
    lock: Arc<Lock>,
    steps: Vec<Box<dyn Step>>,
    stop: Stop,
}

impl Runner {
    /// The runner's tables must be [installed](install).
    pub fn new(
        db: DatabaseConnection,
        lock: Arc<Lock>,
        steps: Vec<Box<dyn Step>>,
        stop: Stop,
    ) -> Self {
        Self { db, lock, steps, stop }
    }

    /// Goes to the target and says which steps it ran. After an error the same call goes on.
    pub async fn go(
        &self,
        target: Target,
        on_step: &(dyn Fn(&str, bool) + Send + Sync),
    ) -> Result<Vec<String>, SchemaError> {
        let engine = Engine::of(&self.db).await?;
        let status = status(&self.db, &self.steps).await?;
        let mut done = Vec::new();
        for number in numbers(&status, target) {
            let Some(step) = self.steps.get(number - 1) else { continue };
            if self.stop.is_requested() {
                return Err(SchemaError::Interrupted { before: step.name().to_owned() });
            }
            let up = matches!(target, Target::Up(_));
            on_step(step.name(), up);
            self.lock.check()?;
            self.run(engine, number, step.as_ref(), up).await?;
            done.push(step.name().to_owned());
        }
        Ok(done)
    }

    async fn run(
        &self,
        engine: Engine,
        number: usize,
        step: &dyn Step,
        up: bool,
    ) -> Result<(), SchemaError> {
        let entry = Entry {
            number: i32::try_from(number).ok(),
            name: step.name().to_owned(),
            kind: KIND,
            direction: if up { "up" } else { "down" },
            checksum: Some(checksum(step, engine)),
        };
        let makes_a_table_of_its_own = number == 1 && up && step.sql_instead(engine, up).is_none();
        if makes_a_table_of_its_own {
            forget_adoption(&self.db).await?;
        }
        if step.use_transaction() == Some(false) || !engine.has_transactional_ddl() {
            let row = db::retry!(self.write_begun(&entry))?;
            db::retry!(self.move_step(&SchemaManager::new(&self.db), step, up))?;
            return db::retry!(self.write_finished(row, step, up));
        }
        db::retry!(self.run_in_transaction(&entry, step, up))
    }

    async fn run_in_transaction(
        &self,
        entry: &Entry,
        step: &dyn Step,
        up: bool,
    ) -> Result<(), SchemaError> {
        let transaction = db::begin(&self.db).await?;
        self.move_step(&SchemaManager::new(&transaction), step, up).await?;
        let row = history::begin(&transaction, &self.lock, entry).await?;
        self.finish_and_commit(transaction, row, step, up).await
    }

    async fn move_step(
        &self,
        manager: &SchemaManager<'_>,
        step: &dyn Step,
        up: bool,
    ) -> Result<(), SchemaError> {
        let moved = if up { step.up(manager).await } else { step.down(manager).await };
        moved.map_err(|source| SchemaError::Step { name: step.name().to_owned(), source })
    }

    async fn write_begun(&self, entry: &Entry) -> Result<i64, SchemaError> {
        let transaction = db::begin(&self.db).await?;
        let row = history::begin(&transaction, &self.lock, entry).await?;
        self.lock.fence(&transaction).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn write_finished(&self, row: i64, step: &dyn Step, up: bool) -> Result<(), SchemaError> {
        let transaction = db::begin(&self.db).await?;
        self.finish_and_commit(transaction, row, step, up).await
    }

    async fn finish_and_commit(
        &self,
        transaction: DatabaseTransaction,
        row: i64,
        step: &dyn Step,
        up: bool,
    ) -> Result<(), SchemaError> {
        history::finish(&transaction, &self.lock, row).await?;
        mirror(&transaction, Alias::new("strongroom_migrations").into_iden(), step.name(), up)
            .await?;
        self.lock.fence(&transaction).await?;
        Ok(transaction.commit().await?)
    }
}

/// The steps that a target takes, in the order to run them. A step that was left half-way is run
/// again in whichever direction is asked for.
pub fn numbers(status: &Status, target: Target) -> Vec<usize> {
    let steps = status.migrations.iter();
    match target {
        Target::Up(to) => steps
            .filter(|step| step.number <= to && step.state != State::Applied)
            .map(|step| step.number)
            .collect(),
        Target::Down(to) => steps
            .rev()
            .filter(|step| step.number > to && step.state != State::Pending)
            .map(|step| step.number)
            .collect(),
    }
}
