//! A step, run against a recorder.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, SchemaManager, SchemaManagerConnection};

use super::recorder::{Answers, Line, Recorded, connection, locked};

/// A step that waits for something else than its connection would wait for ever.
const LONGEST: Duration = Duration::from_secs(10);

/// Whether a step runs against a recorder, for a checksum or a plan. To be asked of the manager that the step was given:
/// sea-orm does not tell of its transactions, nor of a manager's connection unless that is looked into.
pub fn is_recorded(manager: &SchemaManager<'_>) -> bool {
    matches!(manager.get_connection(), SchemaManagerConnection::Connection(db) if db.is_mock_connection())
}

/// What came of it.
pub(super) struct Recording {
    pub(super) lines: Vec<Line>,
    pub(super) answered: usize,
    pub(super) missed: Option<Statement>,
    /// Why it did not come to its end.
    pub(super) failed: Option<String>,
}

pub(super) async fn record(
    step: &dyn MigrationTrait,
    up: bool,
    engine: DbBackend,
    answers: Answers,
) -> Recording {
    let recorded = Arc::new(Mutex::new(Recorded::default()));
    let db = connection(engine, answers, &recorded);
    let failed = run(step, up, &SchemaManager::new(&db)).await.err();
    let recorded = std::mem::take(&mut *locked(&recorded));
    Recording {
        lines: recorded.lines,
        answered: recorded.answered,
        missed: recorded.missed,
        failed,
    }
}

/// A step that counts on finding a row may well panic without one; that is not the program's end.
async fn run(
    step: &dyn MigrationTrait,
    up: bool,
    manager: &SchemaManager<'_>,
) -> Result<(), String> {
    let moved = async { if up { step.up(manager).await } else { step.down(manager).await } };
    match tokio::time::timeout(LONGEST, AssertUnwindSafe(moved).catch_unwind()).await {
        Err(_) => Err("it waits".to_owned()),
        Ok(Ok(done)) => done.map_err(|error: DbErr| error.to_string()),
        Ok(Err(_)) => Err("it panicked".to_owned()),
    }
}
