//! A connection that writes down what is asked of it, and does nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult,
    MockDatabaseConnection, MockDatabaseTrait, QueryResult, Statement, Transaction,
};

use super::answer;

/// A step that asks for more does not come to an end on a recorder.
const MOST_STATEMENTS: usize = 1000;

/// One thing that a step asked for. Never with the values that it bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// What would be done.
    Write(String),
    /// What was asked.
    Read(String),
}

/// What a recorder has written down.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) lines: Vec<Line>,
    /// How many of the answers were taken.
    pub(super) answered: usize,
    /// The question that had no answer.
    pub(super) missed: Option<Statement>,
}

/// An answer of the real database, for the one question that it belongs to.
pub(super) type Answer = (Statement, Result<Vec<QueryResult>, DbErr>);

/// Where a recorder has its answers from.
#[derive(Debug)]
pub(super) enum Answers {
    /// As a database without rows gives them, in which everything that a probe looks for is there, or nothing.
    NoRows { is_there: bool },
    /// Read before, in the order in which they are asked for.
    Read(VecDeque<Answer>),
}

#[derive(Debug)]
struct Recorder {
    engine: DbBackend,
    answers: Answers,
    record: Arc<Mutex<Recorded>>,
}

/// A connection like any other, for everything that takes one.
pub(super) fn connection(
    engine: DbBackend,
    answers: Answers,
    record: &Arc<Mutex<Recorded>>,
) -> DatabaseConnection {
    let recorder = Recorder { engine, answers, record: Arc::clone(record) };
    DatabaseConnectionType::MockDatabaseConnection(Arc::new(MockDatabaseConnection::new(recorder)))
        .into()
}

/// A step that panicked has recorded what it has recorded.
pub(super) fn locked(recorded: &Mutex<Recorded>) -> MutexGuard<'_, Recorded> {
    recorded.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    fn write_down(&self, line: Line) -> Result<(), DbErr> {
        let mut record = locked(&self.record);
        if record.lines.len() == MOST_STATEMENTS {
            return Err(DbErr::Custom(format!(
                "more than {MOST_STATEMENTS} statements are not recorded"
            )));
        }
        record.lines.push(line);
        Ok(())
    }

    /// The next answer, if it belongs to this question. Otherwise the question is written down, to be asked of the
    /// database before the step is recorded anew.
    fn read(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let answers = match &mut self.answers {
            Answers::NoRows { is_there } => {
                return answer::without_rows(self.engine, *is_there, statement);
            }
            Answers::Read(answers) => answers,
        };
        let mut record = locked(&self.record);
        let next =
            answers.pop_front_if(|(question, _)| record.missed.is_none() && *question == statement);
        if let Some((_, answer)) = next {
            record.answered += 1;
            return answer;
        }
        record.missed.get_or_insert(statement);
        Err(DbErr::Custom("not answered yet".to_owned()))
    }
}

impl MockDatabaseTrait for Recorder {
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        self.write_down(Line::Write(statement.sql.clone()))?;
        answer::done(self.engine, statement)
    }

    fn query(&mut self, _: usize, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if !answer::is_read(&statement.sql) {
            // An insert that returns what it wrote: there is nothing to return.
            self.write_down(Line::Write(statement.sql))?;
            return Ok(Vec::new());
        }
        self.write_down(Line::Read(question(&statement)))?;
        self.read(statement)
    }

    fn begin(&mut self) {
        drop(self.write_down(Line::Write("BEGIN".to_owned())));
    }

    fn commit(&mut self) {
        drop(self.write_down(Line::Write("COMMIT".to_owned())));
    }

    fn rollback(&mut self) {
        drop(self.write_down(Line::Write("ROLLBACK".to_owned())));
    }

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        self.engine
    }

    fn ping(&self) -> Result<(), DbErr> {
        Ok(())
    }
}

/// A probe is what it asks for, whatever SQL a version of sea-orm makes of it.
fn question(statement: &Statement) -> String {
    match answer::probe(&statement.sql) {
        Some(probe) => format!("{probe} {:?}", statement.values.as_ref().map(|values| &values.0)),
        None => statement.sql.clone(),
    }
}
