//! Schema changes on engines that commit at every statement.
//!
//! A paragraph of such SQL is one statement, and a line of its comment says how to see that it is done:
//! `-- unless table NAME`, `-- if column TABLE.NAME`. So a run that was killed between any two statements
//! goes on with the next one, whoever runs it, and nothing has to be remembered.

use sea_orm_migration::sea_orm::{ConnectionTrait, Statement as Query, Value};
use sea_orm_migration::{DbErr, SchemaManagerConnection};

use crate::{Engine, RunLock};

/// One statement, and what tells that it need not run.
#[derive(Debug, PartialEq, Eq)]
struct Statement<'a> {
    sql: &'a str,
    guard: Option<Guard<'a>>,
}

/// A thing in the database, and whether the statement wants it there or not.
#[derive(Debug, PartialEq, Eq)]
struct Guard<'a> {
    runs_if_there: bool,
    kind: &'a str,
    name: &'a str,
}

/// Runs a text: at once where schema changes roll back; elsewhere what of it is not done yet, a statement at
/// a time, each under the run lock.
pub async fn run(
    db: &SchemaManagerConnection<'_>,
    engine: Engine,
    text: &str,
    lock: &dyn RunLock,
) -> Result<(), DbErr> {
    if engine.has_transactional_ddl() {
        return if text.is_empty() { Ok(()) } else { db.execute_unprepared(text).await.map(drop) };
    }
    for statement in statements(text) {
        if is_done(db, &statement).await? {
            continue;
        }
        lock.require_lock(db).await?;
        db.execute_unprepared(statement.sql).await?;
    }
    Ok(())
}

/// The statements of a text, in order.
fn statements(text: &str) -> impl Iterator<Item = Statement<'_>> {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|sql| Statement { sql, guard: sql.lines().find_map(Guard::parse) })
}

/// Whether the database shows that the statement ran.
async fn is_done(db: &impl ConnectionTrait, statement: &Statement<'_>) -> Result<bool, DbErr> {
    match &statement.guard {
        Some(guard) => Ok(guard.is_there(db).await? != guard.runs_if_there),
        None => Ok(false),
    }
}

/// Whether an earlier run dropped a table already. Never so where schema changes roll back.
pub(crate) async fn lacks_table(db: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    if Engine::of(db).await?.has_transactional_ddl() {
        return Ok(false);
    }
    Ok(!Guard { runs_if_there: true, kind: "table", name }.is_there(db).await?)
}

impl<'a> Guard<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.strip_prefix("-- ")?.split(' ');
        let runs_if_there = match words.next()? {
            "if" => true,
            "unless" => false,
            _ => return None,
        };
        let (kind, name) = (words.next()?, words.next()?);
        words.next().is_none().then_some(Self { runs_if_there, kind, name })
    }

    async fn is_there(&self, db: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let (table, column) = self.name.split_once('.').unwrap_or((self.name, ""));
        let (from, values): (&str, Vec<Value>) = match self.kind {
            "table" => {
                ("tables WHERE table_schema = DATABASE() AND table_name = ?", vec![table.into()])
            }
            "trigger" => (
                "triggers WHERE trigger_schema = DATABASE() AND trigger_name = ?",
                vec![table.into()],
            ),
            "constraint" => (
                "table_constraints WHERE constraint_schema = DATABASE() AND constraint_name = ?",
                vec![table.into()],
            ),
            "check" => (
                "table_constraints WHERE constraint_schema = DATABASE() AND table_name = ? AND constraint_name = ?",
                vec![table.into(), column.into()],
            ),
            "kind" => (
                "columns WHERE table_schema = DATABASE() AND table_name = ? \
                 AND concat(column_name, ':', column_type, ':', collation_name) = ?",
                vec![table.into(), column.into()],
            ),
            "column" => (
                "columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?",
                vec![table.into(), column.into()],
            ),
            "collation" => (
                "tables WHERE table_schema = DATABASE() AND table_name = ? AND table_collation = ?",
                vec![table.into(), column.into()],
            ),
            "index" => (
                "statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?",
                vec![table.into(), column.into()],
            ),
            "key" => (
                "statistics WHERE table_schema = DATABASE() AND table_name = ? AND concat(index_name, ':', column_name) = ?",
                vec![table.into(), column.into()],
            ),
            "required" => (
                "columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ? AND is_nullable = 'NO'",
                vec![table.into(), column.into()],
            ),
            other => {
                return Err(DbErr::Custom(format!(
                    "sql/ asks for an unknown kind of thing: {other}"
                )));
            }
        };
        let sql = format!("SELECT 1 AS there FROM information_schema.{from} LIMIT 1");
        let probe = Query::from_sql_and_values(db.get_database_backend(), sql, values);
        Ok(db.query_one_raw(probe).await?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_a_statement_with_its_guard() {
        let text = "-- Why.\n-- unless column t.c\nALTER TABLE t;\n\n-- if table t\nDROP TABLE t;\n\nINSERT INTO t;\n";
        let found: Vec<_> = statements(text)
            .map(|statement| statement.guard.map(|g| (g.runs_if_there, g.kind, g.name)))
            .collect();
        assert_eq!(found, [Some((false, "column", "t.c")), Some((true, "table", "t")), None]);
    }

    #[test]
    fn a_comment_that_begins_with_if_is_no_guard() {
        assert_eq!(Guard::parse("-- if the column is there already"), None);
    }
}
