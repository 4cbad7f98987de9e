//! Triggers of a connection's own, for what SQLite does not ask its authorizer about: `REPLACE`, and the
//! columns of a new row. They stand in the connection's temporary schema; the file is not changed.
//!
//! A guard reads columns that the component may not, and is known to [`Rules`] by its name, see [`GUARD`].

use std::ffi::CString;
use std::fmt::Write as _;

use sea_orm::sqlx::{self, SqliteConnection};

use super::rules::{GUARD, Rights, Rules};

/// The statements that make the guards. To be run before the authorizer is there.
pub(super) async fn of(
    connection: &mut SqliteConnection,
    rules: &Rules,
) -> Result<Vec<CString>, sqlx::Error> {
    let mut guards = Vec::new();
    for (table, rights) in rules.tables() {
        let columns = columns(connection, table).await?;
        if columns.is_empty() {
            continue;
        }
        if rights.replaces_without_delete() {
            guards.push(against_replace(table)?);
        }
        guards.extend(against_columns(table, rights, &columns)?);
    }
    Ok(guards)
}

struct Column {
    name: String,
    declared: String,
    default: Option<String>,
    is_key: bool,
}

/// None if the table is missing, or a view: rows are put into views only by triggers of the schema's own.
async fn columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<Column>, sqlx::Error> {
    let sql = "SELECT c.name, c.type, c.dflt_value, c.pk > 0 FROM main.sqlite_master AS m, pragma_table_info(m.name, 'main') AS c \
               WHERE m.type = 'table' AND m.name = ? COLLATE NOCASE";
    let rows = sqlx::query_as(sql).bind(table).fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|(name, declared, default, is_key)| Column { name, declared, default, is_key })
        .collect())
}

/// `REPLACE` fires triggers for the rows that it removes only if `recursive_triggers` is on.
fn against_replace(table: &str) -> Result<CString, sqlx::Error> {
    let body = format!(
        "SELECT RAISE(ABORT, {});",
        text(&format!("{table}: no right to DELETE, so none to REPLACE"))
    );
    guard("DELETE", table, &body)
}

fn against_columns(
    table: &str,
    rights: &Rights,
    columns: &[Column],
) -> Result<Option<CString>, sqlx::Error> {
    let mut body = String::new();
    let outside = |column: &&Column| !rights.insert.contains(&column.name.to_ascii_lowercase());
    for column in columns.iter().filter(outside).filter(|column| column.is_comparable()) {
        let message = text(&format!("{table}.{}: no right to INSERT", column.name));
        let _ = write!(body, "SELECT RAISE(ABORT, {message}) WHERE {}; ", column.differs());
    }
    if !rights.may_insert() || body.is_empty() {
        Ok(None)
    } else {
        guard("INSERT", table, &body).map(Some)
    }
}

fn guard(event: &str, table: &str, body: &str) -> Result<CString, sqlx::Error> {
    let name = name(&format!("{event} {table}"));
    let (open, name) = name.split_at(1);
    let rest = format!(" BEFORE {event} ON main.{} BEGIN {body} END", self::name(table));
    let sql = [b"CREATE TEMP TRIGGER ", open.as_bytes(), GUARD, name.as_bytes(), rest.as_bytes()]
        .concat();
    CString::new(sql).map_err(|error| sqlx::Error::Configuration(error.into()))
}

impl Column {
    fn is_comparable(&self) -> bool {
        !self.value().to_ascii_lowercase().contains("random")
    }

    /// Stable within one statement, the current time too.
    fn value(&self) -> String {
        let default = self.default.as_deref().unwrap_or("NULL");
        let quoted = default.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        quoted.map_or_else(|| default.to_owned(), |string| text(&string.replace("\"\"", "\"")))
    }

    /// As a condition on the new row. The row comes with its columns' affinities applied, the default does
    /// not: compare with both forms. SQLite shows an integer primary key that was not given as -1.
    fn differs(&self) -> String {
        let (new, default) = (format!("NEW.{}", name(&self.name)), self.value());
        let mut sql = format!("{new} IS NOT ({default}) COLLATE BINARY");
        if let Some(kind) = self.affinity() {
            let _ = write!(sql, " AND {new} IS NOT CAST(({default}) AS {kind}) COLLATE BINARY");
        }
        if self.is_key && self.declared.eq_ignore_ascii_case("integer") {
            let _ = write!(sql, " AND {new} IS NOT -1");
        }
        sql
    }

    /// By SQLite's rules for declared types.
    fn affinity(&self) -> Option<&'static str> {
        let declared = self.declared.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        match () {
            () if has(&["INT"]) => Some("NUMERIC"),
            () if has(&["CHAR", "CLOB", "TEXT"]) => Some("TEXT"),
            () if declared.is_empty() || has(&["BLOB"]) => None,
            () => Some("NUMERIC"),
        }
    }
}

fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
