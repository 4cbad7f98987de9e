//! What a step is told while it is recorded without a database. Pure.

use std::collections::BTreeMap;

use sea_orm::{
    DbBackend, DbErr, ExecResult, MockDatabase, MockDatabaseTrait as _, MockExecResult,
    QueryResult, Statement, Value,
};

/// What sea-orm's `SchemaManager` asks, by the name of the column of the answer.
const PROBES: [&str; 3] = ["has_table", "has_column", "has_index"];
/// What sea-orm's `count` asks.
const COUNT: &str = "num_items";

/// Whether a statement only reads, and may be asked of the real database. Two statements in one text are not
/// looked into: SQLite would run both.
pub(super) fn is_read(sql: &str) -> bool {
    let word = first_word(sql);
    (word == "SELECT" || word == "SHOW") && !sql.trim_end_matches([';', ' ', '\n']).contains(';')
}

/// The probe that a statement is.
pub(super) fn probe(sql: &str) -> Option<&'static str> {
    PROBES.into_iter().find(|probe| is_answered_as(sql, probe))
}

/// No rows, but for questions that always have an answer; `is_there` is that of every probe.
pub(super) fn without_rows(
    engine: DbBackend,
    is_there: bool,
    statement: Statement,
) -> Result<Vec<QueryResult>, DbErr> {
    let answer: Option<(&str, Value)> = match probe(&statement.sql) {
        Some(probe) => Some((probe, is_there.into())),
        None => is_answered_as(&statement.sql, COUNT).then(|| (COUNT, 0_i64.into())),
    };
    let Some((column, value)) = answer else { return Ok(Vec::new()) };
    let row = BTreeMap::from([(column.to_owned(), value)]);
    MockDatabase::new(engine).append_query_results([[row]]).query(0, statement)
}

/// A row for an insert and none for anything else: a step that works in batches until nothing is left must end.
pub(super) fn done(engine: DbBackend, statement: Statement) -> Result<ExecResult, DbErr> {
    let rows_affected = u64::from(first_word(&statement.sql) == "INSERT");
    let done = MockExecResult { last_insert_id: 0, rows_affected };
    MockDatabase::new(engine).append_exec_results([done]).execute(0, statement)
}

fn first_word(sql: &str) -> String {
    sql.trim_start()
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_uppercase()
}

fn is_answered_as(sql: &str, column: &str) -> bool {
    ['"', '`'].iter().any(|quote| sql.contains(&format!("AS {quote}{column}{quote}")))
        || sql.contains(&format!("AS {column} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_select_is_asked_of_the_real_database() {
        assert!(is_read(" select 1;\n"));
        for sql in [
            "SELECT 1; DELETE FROM t",
            "WITH x AS (DELETE FROM t RETURNING 1) SELECT 1",
            "INSERT INTO t DEFAULT VALUES",
        ] {
            assert!(!is_read(sql), "{sql}");
        }
    }

    #[test]
    fn no_rows_are_an_answer_and_probes_get_the_one_that_was_chosen() {
        let ask = |is_there, sql: &str| {
            without_rows(
                DbBackend::Postgres,
                is_there,
                Statement::from_string(DbBackend::Postgres, sql),
            )
            .unwrap()
        };
        for is_there in [true, false] {
            let has = ask(is_there, r#"SELECT COUNT(*) > 0 AS "has_table" FROM x"#);
            assert_eq!(has[0].try_get::<bool>("", "has_table").unwrap(), is_there);
        }
        let count = ask(true, "SELECT COUNT(*) AS num_items FROM (SELECT 1) AS sub_query");
        assert_eq!(count[0].try_get::<i64>("", "num_items").unwrap(), 0);
        assert!(ask(true, "SELECT id FROM t").is_empty());
    }
}
