//! A component's rights on SQLite, which has no accounts: every connection of its pool is confined to them.
//!
//! Promised of a confined connection, whatever SQL it is given:
//! - Columns are read and changed, and rows removed, only as granted. SQLite's authorizer decides when a
//!   statement is prepared, for every part of it. What is not known is refused.
//! - A row does not give a column outside the insert list another value than that column's default. SQLite
//!   asks for the right to insert by table only, so a trigger of the connection's own looks at the row.
//! - Joins by name (`NATURAL JOIN`, `USING`) do not run at all: SQLite does not ask which columns they read.
//!   A statement with one of these words, be it in a literal, is interrupted (SQLite's error 9).
//! - `REPLACE` removes no row without the right to delete; SQLite itself would not ask. Another such trigger.
//! - None of that can be undone by SQL.
//!
//! Not promised:
//! - It binds SQL, not the process: who has the file, or the connection's raw handle, is not stopped.
//! - A default that differs each time (`random()`) cannot be compared: such a column is left out. So is the
//!   row number (`rowid`) of a table without an integer primary key.
//! - In a database in UTF-16, a table with columns outside the insert list takes no rows at all.
//! - A schema's own triggers and cascading foreign keys run with the component's rights, and need them.
//! - The trigger looks at the tables as they were when the connection was made: after a schema step, open
//!   the pool anew. A table that was missing then has no triggers at all.
//! - A common table expression or view of which no column is used (`SELECT count(*) FROM cte`) is refused,
//!   as SQLite asks for it as for a table. So is `json_each`.

mod authorizer;
mod guards;
mod joins;
mod rules;
#[cfg(test)]
mod tests;

use sea_orm::sqlx::{self, SqliteConnection};

pub(super) use rules::Rules;

/// Confines a connection to what a component may do, for good. For a pool's `after_connect`: a connection
/// that could not be confined is then not used.
pub(super) async fn confine(
    connection: &mut SqliteConnection,
    rules: &'static Rules,
) -> Result<(), sqlx::Error> {
    let guards = guards::of(connection, rules).await?;
    if !guards.is_empty() {
        sqlx::query("PRAGMA recursive_triggers = ON").execute(&mut *connection).await?;
    }
    let mut handle = connection.lock_handle().await?;
    for guard in &guards {
        authorizer::execute(&mut handle, guard)?;
    }
    authorizer::install(&mut handle, rules)
}
