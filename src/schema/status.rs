//! Where a database stands. Reads only, and works for a login without DDL rights.

use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use strongroom_entity::history::Model;
use strongroom_migration::{Engine, Step};

use super::SchemaError;
use super::checksum::checksum;
use crate::db::{has_table, history};

/// The kind of Strongroom's own steps in the history.
pub(super) const KIND: &str = "schema";

/// Where a database stands.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Every step that this program knows, in order.
    pub migrations: Vec<StepStatus>,
    /// Steps that going up would run.
    pub pending: usize,
}

/// Where one step stands.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StepStatus {
    /// Its number, from 1.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Whether it is in force, wholly.
    pub applied: bool,
    /// The same, and what lies between.
    pub state: State,
}

/// Where one step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not begun.
    Pending,
    /// Begun, and interrupted on the way up.
    HalfWayUp,
    /// In force.
    Applied,
    /// Interrupted on the way down.
    HalfWayDown,
}

impl Status {
    /// The number of the highest step that is, even half-way, in the database.
    pub fn version(&self) -> usize {
        self.migrations
            .iter()
            .filter(|step| step.state != State::Pending)
            .map(|step| step.number)
            .max()
            .unwrap_or(0)
    }

    /// A name or a number to a number; 0 is the empty database.
    pub fn number_of(&self, wanted: &str) -> Result<usize, SchemaError> {
        let unknown = || SchemaError::Unknown(wanted.to_owned());
        if let Ok(number) = wanted.parse::<usize>() {
            return if number <= self.migrations.len() { Ok(number) } else { Err(unknown()) };
        }
        let bare = wanted.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        let found = self.migrations.iter().find(|step| step.name == wanted || step.name == bare);
        found.map(|step| step.number).ok_or_else(unknown)
    }
}

/// Reads where the database stands, and refuses one that is newer, edited or somebody else's.
pub async fn status(
    db: &impl ConnectionTrait,
    steps: &[Box<dyn Step>],
) -> Result<Status, SchemaError> {
    let rows = history::read(db).await?;
    refuse_newer(&rows, steps)?;
    let engine = Engine::of(db).await?;
    let mut migrations = Vec::with_capacity(steps.len());
    for (number, step) in (1..).zip(steps) {
        let state = state_of(&rows, number);
        if state != State::Pending {
            refuse_edited(&rows, number, step.as_ref(), engine)?;
        }
        migrations.push(StepStatus {
            number,
            name: step.name().to_owned(),
            applied: state == State::Applied,
            state,
        });
    }
    let pending = migrations.iter().filter(|step| !step.applied).count();
    let adopting = steps.first().is_some_and(|step| step.sql_instead(engine, true).is_some());
    if !adopting {
        refuse_foreign_table(db, &migrations).await?;
    }
    Ok(Status { migrations, pending })
}

/// The last thing that was done to a step says where it stands.
fn state_of(rows: &[Model], number: usize) -> State {
    let last = rows.iter().rev().find(|row| is_step(row, number));
    match last.map(|row| (row.direction.as_str(), row.finished_at.is_some())) {
        None | Some(("down", true)) => State::Pending,
        Some(("up", true)) => State::Applied,
        Some(("down", false)) => State::HalfWayDown,
        Some(_) => State::HalfWayUp,
    }
}

/// A host program's steps have numbers too, in a list of their own.
fn is_step(row: &Model, number: usize) -> bool {
    row.kind == KIND && row.number.and_then(|known| usize::try_from(known).ok()) == Some(number)
}

fn refuse_newer(rows: &[Model], steps: &[Box<dyn Step>]) -> Result<(), SchemaError> {
    for (place, row) in rows.iter().enumerate() {
        let Some(number) = row.number.filter(|_| row.kind == KIND) else { continue };
        let later = rows
            .iter()
            .skip(place + 1)
            .any(|later| later.kind == KIND && later.number == Some(number));
        // A step of a newer program that went down again is none of ours to know.
        if later || (row.direction == "down" && row.finished_at.is_some()) {
            continue;
        }
        let known =
            usize::try_from(number).ok().and_then(|number| steps.get(number.checked_sub(1)?));
        if known.is_none_or(|step| step.name() != row.name) {
            return Err(SchemaError::Newer { number, name: row.name.clone() });
        }
    }
    Ok(())
}

fn refuse_edited(
    rows: &[Model],
    number: usize,
    step: &dyn Step,
    engine: Engine,
) -> Result<(), SchemaError> {
    let wanted = checksum(step, engine);
    let applied =
        rows.iter().rev().find(|row| is_step(row, number)).and_then(|row| row.checksum.as_deref());
    if applied == Some(wanted.as_str()) {
        return Ok(());
    }
    Err(SchemaError::Edited { number, name: step.name().to_owned() })
}

/// Whether step 1 is in force, or half-way in either direction.
pub(super) async fn step_1_is_begun(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(state_of(&history::read(db).await?, 1) != State::Pending)
}

/// Whether step 1 is in force: the table is ours, made or adopted.
pub async fn is_ours(db: &impl ConnectionTrait) -> Result<bool, SchemaError> {
    Ok(matches!(state_of(&history::read(db).await?, 1), State::Applied | State::HalfWayDown))
}

async fn refuse_foreign_table(
    db: &impl ConnectionTrait,
    migrations: &[StepStatus],
) -> Result<(), SchemaError> {
    let ours = migrations.first().is_none_or(|step| step.state != State::Pending);
    if !ours && has_table(db, "credential").await? {
        return Err(SchemaError::ForeignTable("credential"));
    }
    Ok(())
}
