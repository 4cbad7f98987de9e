//! Statements in one notation.

use sea_orm::{DbBackend, Statement, Value};

use super::Dialect;

/// A statement with its values. Written with `$1`, `$2`, … in the order of the values, each once, as
/// PostgreSQL and SQLite take it; MySQL and MariaDB number by place. No other `$` may stand in it.
pub fn statement(
    dialect: impl Into<Dialect>,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    let backend = dialect.into().backend();
    let sql = if backend == DbBackend::MySql { by_place(sql) } else { sql.to_owned() };
    Statement::from_sql_and_values(backend, sql, values)
}

fn by_place(sql: &str) -> String {
    let mut parts = sql.split('$');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "?" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mysql_numbers_by_place() {
        let sql = "UPDATE t SET a = $1, b = b + $2 WHERE c = $10";
        assert_eq!(
            statement(DbBackend::MySql, sql, []).sql,
            "UPDATE t SET a = ?, b = b + ? WHERE c = ?"
        );
        assert_eq!(statement(DbBackend::Postgres, sql, []).sql, sql);
    }
}
