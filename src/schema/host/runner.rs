//! What a host program calls.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTraitSelf;
use strongroom_entity::history::Model;
use tokio::time::Instant;

use super::program::Program;
use super::program_state::{ProgramState, standing};
use super::run::Run;
use super::{HostError, PlannedStep, StepEvent, plan};
use crate::db::{Lock, LockError, history};
use crate::reseal::Stop;
use crate::schema::mirror::install_mirror;
use crate::schema::{Sealing, State, Status, Target, install, numbers};

const POLL: Duration = Duration::from_millis(250);

/// Runs the steps of a host program's migrator, beside Strongroom's own. See the example above.
pub struct HostRunner {
    db: DatabaseConnection,
    program: Program,
    stop: Stop,
    wait: Duration,
    sealing: Option<Sealing>,
    on_step: Arc<dyn Fn(StepEvent<'_>) + Send + Sync>,
}

impl HostRunner {
    /// For a program of this name. The name stands in the history: it is not to change. Fails with [`HostError::Name`] for one
    /// that cannot stand there, and with [`HostError::Duplicate`] where two steps have one name.
    pub fn new(
        db: DatabaseConnection,
        program: &str,
        migrator: &impl MigratorTraitSelf,
    ) -> Result<Self, HostError> {
        let program = Program::new(program, migrator)?;
        Ok(Self {
            db,
            program,
            stop: Stop::default(),
            wait: Duration::ZERO,
            sealing: None,
            on_step: Arc::new(|_| ()),
        })
    }

    /// Ends before the next step once that is asked for.
    #[must_use]
    pub fn stopping_on(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// Is told of each step as it begins and ends.
    #[must_use]
    pub fn telling(self, on_step: impl Fn(StepEvent<'_>) + Send + Sync + 'static) -> Self {
        Self { on_step: Arc::new(on_step), ..self }
    }

    /// Waits for another run to end, as long as this, and looks four times a second. Otherwise a lock that is held is an error
    /// at once.
    #[must_use]
    pub fn waiting(self, most: Duration) -> Self {
        Self { wait: most, ..self }
    }

    /// Lends its run lock to the sealing that its steps do, which would take it otherwise, and find it held.
    #[must_use]
    pub fn lending_to(self, sealing: &Sealing) -> Self {
        Self { sealing: Some(sealing.clone()), ..self }
    }

    /// Where the database stands. Writes nothing, and works for a login without DDL rights.
    pub async fn status(&self) -> Result<Status, HostError> {
        Ok(standing(&self.db, &self.program).await?.status)
    }

    /// What was done to the database by this program, oldest first. Writes nothing.
    pub async fn history(&self) -> Result<Vec<Model>, HostError> {
        let rows = history::read(&self.db).await?;
        Ok(rows.into_iter().filter(|row| self.program.own_step(row).is_some()).collect())
    }

    /// For the start of a program: an error that says which way, unless the database is what the program knows:
    /// [`Older`](HostError::Older), [`Newer`](HostError::Newer), [`Edited`](HostError::Edited),
    /// [`HalfWay`](HostError::HalfWay), or [`TakenBack`](HostError::TakenBack). Writes nothing.
    pub async fn require_current(&self) -> Result<(), HostError> {
        let status = self.status().await?;
        for step in &status.migrations {
            if let State::HalfWayUp | State::HalfWayDown = step.state {
                return Err(HostError::HalfWay {
                    step: step.name.clone(),
                    up: step.state == State::HalfWayUp,
                });
            }
        }
        if status.pending == 0 {
            return Ok(());
        }
        let pending =
            status.migrations.into_iter().filter(|step| !step.applied).map(|step| step.name);
        Err(HostError::Older { pending: pending.collect() })
    }

    /// What going there would do. Writes nothing: each step runs against a recorder, which reads the real database.
    pub async fn plan(&self, target: Target) -> Result<Vec<PlannedStep>, HostError> {
        let status = self.status().await?;
        let mut steps = Vec::new();
        for number in numbers(&status, target) {
            let Some(step) = self.program.step(number) else { continue };
            steps.push(plan::plan(&self.db, number, step, is_up(target)).await?);
        }
        Ok(steps)
    }

    /// Runs every step that is pending or half-way, and says which it ran, by name. What ran before one that fails stays.
    pub async fn up(&self) -> Result<Vec<String>, HostError> {
        self.go(Target::Up(self.program.steps.len())).await
    }

    /// The same, as far as a step, by name or by place.
    pub async fn up_to(&self, step: &str) -> Result<Vec<String>, HostError> {
        self.go(Target::Up(self.place_of(step).await?)).await
    }

    /// Takes back every step after this one, the last first; `0` is before the first.
    pub async fn down_to(&self, step: &str) -> Result<Vec<String>, HostError> {
        self.go(Target::Down(self.place_of(step).await?)).await
    }

    async fn place_of(&self, step: &str) -> Result<usize, HostError> {
        self.status().await?.number_of(step).map_err(|_| HostError::Unknown(step.to_owned()))
    }

    /// Takes no lock when there is nothing to do, so that many replicas may start at once.
    async fn go(&self, target: Target) -> Result<Vec<String>, HostError> {
        let ProgramState { status, to_adopt } = standing(&self.db, &self.program).await?;
        if to_adopt.is_empty() && numbers(&status, target).is_empty() {
            return Ok(Vec::new());
        }
        install(&self.db).await?;
        let lock = Arc::new(self.take_lock().await?);
        if let Some(sealing) = &self.sealing {
            sealing.borrow(&lock);
        }
        let done = self.run(&lock, target).await;
        let Some(lock) = Arc::into_inner(lock) else { return done };
        if let Err(error) = lock.release().await {
            tracing::warn!(%error, "the run lock was not given back; it ends by itself");
        }
        done
    }

    async fn take_lock(&self) -> Result<Lock, HostError> {
        let until = Instant::now() + self.wait;
        loop {
            match Lock::take(&self.db).await {
                Err(LockError::Held { .. }) if Instant::now() < until => {
                    tokio::time::sleep(POLL).await;
                }
                taken => return Ok(taken?),
            }
        }
    }

    /// Looks again: another run may have ended while this one waited for the lock.
    async fn run(&self, lock: &Lock, target: Target) -> Result<Vec<String>, HostError> {
        let ProgramState { status, to_adopt } = standing(&self.db, &self.program).await?;
        let run = Run { db: &self.db, program: &self.program, lock };
        install_mirror(&self.db, self.program.table.clone()).await?;
        for number in to_adopt {
            let Some(step) = self.program.step(number) else { continue };
            run.adopt(number, step).await?;
            (self.on_step)(StepEvent::Adopted { number, name: step.name() });
        }
        let (mut done, up) = (Vec::new(), is_up(target));
        for number in numbers(&status, target) {
            let Some(step) = self.program.step(number) else { continue };
            let name = step.name();
            if self.stop.is_requested() {
                return Err(HostError::Interrupted { before: name.to_owned() });
            }
            lock.check()?;
            (self.on_step)(StepEvent::Begun { number, name, up });
            run.go(number, step, up).await?;
            (self.on_step)(StepEvent::Finished { number, name, up });
            done.push(name.to_owned());
        }
        Ok(done)
    }
}

fn is_up(target: Target) -> bool {
    matches!(target, Target::Up(_))
}
