//! A step, run against a recorder.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use sea_orm::{DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::recorder::{Answers, Line, Tape, connection, locked};

/// What came of it.
pub(super) struct Recording {
    pub(super) lines: Vec<Line>,
    pub(super) answered: usize,
    pub(super) missed: Option<Statement>,
    /// Why it did not come to its end.
    pub(super) failed: Option<String>,
}

pub(super) async fn record(step: &dyn MigrationTrait, up: bool, engine: DbBackend, answers: Answers) -> Recording {
    let tape = Arc::new(Mutex::new(Tape::default()));
    let db = connection(engine, answers, &tape);
    let failed = run(step, up, &SchemaManager::new(&db)).await.err();
    let tape = std::mem::take(&mut *locked(&tape));
    Recording { lines: tape.lines, answered: tape.answered, missed: tape.missed, failed }
}

/// A step that counts on finding a row may well panic without one; that is not the program's end.
async fn run(step: &dyn MigrationTrait, up: bool, manager: &SchemaManager<'_>) -> Result<(), String> {
    let moved = async { if up { step.up(manager).await } else { step.down(manager).await } };
    match AssertUnwindSafe(moved).catch_unwind().await {
        Ok(done) => done.map_err(|error: DbErr| error.to_string()),
        Err(_) => Err("it panicked".to_owned()),
    }
}
