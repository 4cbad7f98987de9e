//! What steps would do, without doing it.

use std::collections::VecDeque;
use std::fmt;

use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement,
    TransactionTrait as _,
};
use sea_orm_migration::MigrationTrait;
use serde::Serialize;

use super::answer::is_read;
use super::recorder::{Answer, Answers, Line};
use super::recording::{Recording, record};
use super::run::is_transactional;
use crate::db::{Dialect, is_unreachable};

/// A step that goes on asking is shown as far as it came.
const MOST_READS: usize = 32;

/// What a step would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedStep {
    /// Its place in the list.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Up or down.
    pub up: bool,
    /// Whether it happens wholly or not at all.
    pub in_transaction: bool,
    /// The statements in order, with placeholders for bound values.
    pub sql: Vec<String>,
    /// It reads the database, and may read something else when it runs: steps before it in the plan have not run yet.
    pub approximate: bool,
    /// Why it cannot be shown wholly.
    pub cut_short: Option<String>,
}

/// Runs the step against a recorder. What it asks is read from the database between two runs, and the step is run anew
/// with the answers: a recorder cannot wait for a database, whose answers need the thread that it would block.
pub(super) async fn plan(
    db: &DatabaseConnection,
    number: usize,
    step: &dyn MigrationTrait,
    up: bool,
) -> Result<PlannedStep, DbErr> {
    let engine = db.get_database_backend();
    let mut asked = Vec::new();
    for _ in 0..=MOST_READS {
        let answers = Answers::Read(read_all(db, &asked).await?);
        let mut recording = record(step, up, engine, answers).await;
        asked.truncate(recording.answered);
        match recording.missed.take() {
            Some(question) => asked.push(question),
            None => return Ok(planned(number, step, up, engine, recording)),
        }
    }
    let mut recording = record(step, up, engine, Answers::Read(read_all(db, &asked).await?)).await;
    recording.failed = Some(format!("it asks more than {MOST_READS} questions"));
    Ok(planned(number, step, up, engine, recording))
}

fn planned(
    number: usize,
    step: &dyn MigrationTrait,
    up: bool,
    engine: DbBackend,
    recording: Recording,
) -> PlannedStep {
    let approximate = recording.lines.iter().any(|line| matches!(line, Line::Read(_)));
    let sql = recording.lines.into_iter().filter_map(|line| match line {
        Line::Write(sql) => Some(sql),
        Line::Read(_) => None,
    });
    PlannedStep {
        number,
        name: step.name().to_owned(),
        up,
        in_transaction: is_transactional(step, engine.into()),
        sql: sql.collect(),
        approximate,
        cut_short: recording.failed,
    }
}

async fn read_all(
    db: &DatabaseConnection,
    questions: &[Statement],
) -> Result<VecDeque<Answer>, DbErr> {
    let mut answers = VecDeque::with_capacity(questions.len());
    for question in questions {
        let answer = read(db, question.clone()).await;
        match answer {
            Err(error) if is_unreachable(&error) => return Err(error),
            answer => answers.push_back((question.clone(), answer)),
        }
    }
    Ok(answers)
}

/// In a transaction that may not write: a function that a SELECT calls might.
async fn read(db: &DatabaseConnection, question: Statement) -> Result<Vec<QueryResult>, DbErr> {
    debug_assert!(is_read(&question.sql), "a recorder asks nothing else");
    if !Dialect::of(db).has_read_only_transactions() {
        return db.query_all_raw(question).await;
    }
    let transaction = db.begin_with_config(None, Some(AccessMode::ReadOnly)).await?;
    let rows = transaction.query_all_raw(question).await;
    transaction.rollback().await?;
    rows
}

/// As a script for a person to read.
impl fmt::Display for PlannedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "-- {} {}, {}", self.number, self.name, if self.up { "up" } else { "down" })?;
        if self.approximate {
            writeln!(
                f,
                "-- approximate: it reads the database, and may find something else when it runs"
            )?;
        }
        for sql in &self.sql {
            writeln!(f, "{};", sql.trim_end().trim_end_matches(';'))?;
        }
        match &self.cut_short {
            Some(why) => writeln!(f, "-- cannot be shown wholly: {}", why.replace('\n', " ")),
            None => Ok(()),
        }
    }
}
