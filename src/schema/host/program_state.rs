//! Where a host program stands: what its history and sea-orm's own table say together. Reads only.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DbErr};
use strongroom_entity::history::Model;

use super::HostError;
use super::checksum::checksum;
use super::program::Program;
use crate::db::{has_table, history};
use crate::schema::{State, Status, StepStatus};

pub(super) struct ProgramState {
    pub(super) status: Status,
    /// The steps that another runner applied, and that the history does not know of as applied.
    pub(super) to_adopt: Vec<usize>,
}

/// Refuses a database that is newer, edited, or that another tool took steps back from.
pub(super) async fn standing(
    db: &impl ConnectionTrait,
    program: &Program,
) -> Result<ProgramState, HostError> {
    let rows = history::read(db).await?;
    let mirrored = mirrored(db, program).await?;
    refuse_newer(program, &rows, &mirrored)?;
    let (mut migrations, mut to_adopt) = (Vec::with_capacity(program.steps.len()), Vec::new());
    for (number, step) in (1..).zip(&program.steps) {
        let name = step.name();
        let last = rows.iter().rev().find(|row| program.own_step(row) == Some(name));
        let by_history = state_of(last);
        let state = agreed(by_history, mirrored.contains(name));
        if by_history == State::Applied && state != State::Applied {
            return Err(HostError::TakenBack {
                step: name.to_owned(),
                table: program.table.to_string(),
            });
        }
        if matches!(by_history, State::Applied | State::HalfWayDown) && state != State::Pending {
            refuse_edited(last, &checksum(&**step, db.get_database_backend()).await, name)?;
        }
        if state == State::Applied && by_history != State::Applied {
            to_adopt.push(number);
        }
        migrations.push(StepStatus {
            number,
            name: name.to_owned(),
            applied: state == State::Applied,
            state,
        });
    }
    let pending = migrations.iter().filter(|step| !step.applied).count();
    Ok(ProgramState { status: Status { migrations, pending }, to_adopt })
}

/// The last thing that was done to a step says where it stands.
fn state_of(last: Option<&Model>) -> State {
    match last.map(|row| (row.direction.as_str(), row.finished_at.is_some())) {
        None | Some(("down", true)) => State::Pending,
        Some(("down", false)) => State::HalfWayDown,
        Some((_, true)) => State::Applied,
        Some((_, false)) => State::HalfWayUp,
    }
}

/// Every finished step of ours changes both in one transaction, so where they differ another tool did something since.
fn agreed(by_history: State, is_mirrored: bool) -> State {
    match (by_history, is_mirrored) {
        (State::HalfWayDown, true) => State::HalfWayDown,
        (_, true) => State::Applied,
        (State::HalfWayUp, false) => State::HalfWayUp,
        (_, false) => State::Pending,
    }
}

/// A step of a newer program that went down again is none of ours to know, and neither is one of another program.
fn refuse_newer(
    program: &Program,
    rows: &[Model],
    mirrored: &BTreeSet<String>,
) -> Result<(), HostError> {
    let is_last = |place: usize, row: &Model| {
        !rows.iter().skip(place + 1).any(|later| later.kind == row.kind && later.name == row.name)
    };
    let is_in_force = |row: &Model| state_of(Some(row)) != State::Pending;
    let standing = || {
        rows.iter()
            .enumerate()
            .filter(|(place, row)| is_in_force(row) && is_last(*place, row))
            .map(|(_, row)| row)
    };
    let foreign: BTreeSet<&str> = standing().filter_map(|row| program.foreign_step(row)).collect();
    let known_to_table = mirrored.iter().map(String::as_str).filter(|step| !foreign.contains(step));
    let mut known = standing().filter_map(|row| program.own_step(row)).chain(known_to_table);
    match known.find(|step| !program.has(step)) {
        Some(step) => Err(HostError::Newer { step: step.to_owned() }),
        None => Ok(()),
    }
}

fn refuse_edited(last: Option<&Model>, wanted: &str, step: &str) -> Result<(), HostError> {
    if last.and_then(|row| row.checksum.as_deref()) == Some(wanted) {
        return Ok(());
    }
    Err(HostError::Edited { step: step.to_owned() })
}

async fn mirrored(db: &impl ConnectionTrait, program: &Program) -> Result<BTreeSet<String>, DbErr> {
    if !has_table(db, &program.table.to_string()).await? {
        return Ok(BTreeSet::new());
    }
    let all = Query::select().column(Alias::new("version")).from(program.table.clone()).to_owned();
    db.query_all(&all).await?.iter().map(|row| row.try_get("", "version")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who applied or took back a step last is believed, except half-way: then nobody but us was at it.
    #[test]
    fn the_table_of_other_tools_is_believed() {
        use State::{Applied, HalfWayDown, HalfWayUp, Pending};
        let expected = [
            (Pending, Applied, Pending),
            (HalfWayUp, Applied, HalfWayUp),
            (Applied, Applied, Pending),
            (HalfWayDown, HalfWayDown, Pending),
        ];
        for (history, mirrored, not_mirrored) in expected {
            assert_eq!(
                (agreed(history, true), agreed(history, false)),
                (mirrored, not_mirrored),
                "{history:?}"
            );
        }
    }
}
