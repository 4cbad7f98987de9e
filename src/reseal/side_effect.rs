//! What an update of a row sets off next to it: triggers, and columns that the server sets.
//!
//! The engine rewrites cells, which is no change of the row to anybody else. Invariant: while it does, no trigger of another
//! program fires, and no other column changes.

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_entity::SealedTable;

use crate::db::{ByDialect, Dialect, statement};

/// The table that says, inside the engine's own transactions, that the engine is writing.
const ANNOUNCES: &str = "strongroom_reseal";

/// Triggers for updates, with their text. `columns` names those that a trigger is limited to.
const TRIGGERS: ByDialect<&str> = ByDialect {
    postgres: "SELECT t.tgname::text AS name, p.prosrc::text AS body, \
        (SELECT coalesce(string_agg(a.attname, ','), '') FROM pg_attribute a WHERE a.attrelid = t.tgrelid AND a.attnum = ANY(t.tgattr)) \
        AS columns FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
        WHERE t.tgrelid = to_regclass(quote_ident($1)) AND NOT t.tgisinternal AND (t.tgtype & 16) <> 0 AND t.tgenabled IN ('O', 'A') \
        UNION ALL SELECT 'rule ' || r.rulename, '', '' FROM pg_rewrite r \
        WHERE r.ev_class = to_regclass(quote_ident($1)) AND r.ev_type = '2' AND r.ev_enabled IN ('O', 'A')",
    mysql: "SELECT trigger_name AS name, action_statement AS body, '' AS columns FROM information_schema.triggers \
        WHERE event_object_schema = DATABASE() AND event_object_table = $1 AND event_manipulation = 'UPDATE'",
    sqlite: "SELECT name, sql AS body, '' AS columns FROM sqlite_master \
        WHERE type = 'trigger' AND lower(tbl_name) = lower($1)",
};

/// Columns that the server sets when a row is updated; only MySQL and MariaDB have such.
const SET_BY_THE_SERVER: ByDialect<Option<&str>> = ByDialect {
    postgres: None,
    mysql: Some(
        "SELECT column_name AS name FROM information_schema.columns \
        WHERE table_schema = DATABASE() AND table_name = $1 AND lower(extra) LIKE '%on update%'",
    ),
    sqlite: None,
};

/// Where the columns that a trigger is limited to are found in its text, and not in the catalogue.
const COLUMNS_IN_TEXT: ByDialect<bool> = ByDialect { postgres: false, mysql: false, sqlite: true };

/// Returns the condition by which a trigger leaves the engine's own writes alone. It is the same on every engine.
pub(crate) fn trigger_condition(table: &str) -> String {
    format!("NOT EXISTS (SELECT 1 FROM {ANNOUNCES} WHERE table_name = '{table}' AND writing)")
}

/// Returns the triggers of other programs that the engine's updates of this table would fire.
pub(crate) async fn foreign_triggers(
    db: &impl ConnectionTrait,
    table: &SealedTable,
) -> Result<Vec<String>, DbErr> {
    let dialect = Dialect::of(db);
    let query = statement(dialect, dialect.pick(TRIGGERS), [table.name.into()]);
    let rows = db.query_all_raw(query).await?;
    let mut names = Vec::new();
    for row in &rows {
        let (name, body, columns) = (text(row, "name")?, text(row, "body")?, text(row, "columns")?);
        let columns =
            if dialect.pick(COLUMNS_IN_TEXT) { columns_of(&body) } else { listed(&columns) };
        let is_ours = name.starts_with("strongroom_");
        if !is_ours
            && !body.contains(ANNOUNCES)
            && columns.is_none_or(|columns| are_written(table, &columns))
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Returns the columns that the server sets at each update of a row, unless the statement sets them.
pub(super) async fn set_by_the_server(
    db: &impl ConnectionTrait,
    table: &SealedTable,
) -> Result<Vec<String>, DbErr> {
    let dialect = Dialect::of(db);
    let Some(sql) = dialect.pick(SET_BY_THE_SERVER) else { return Ok(Vec::new()) };
    let rows = db.query_all_raw(statement(dialect, sql, [table.name.into()])).await?;
    rows.iter().map(|row| text(row, "name")).collect()
}

fn are_written(table: &SealedTable, columns: &[String]) -> bool {
    let written = table
        .columns
        .iter()
        .flat_map(|column| [Some(column.sealed), column.index, column.plain])
        .flatten();
    written
        .into_iter()
        .any(|written| columns.iter().any(|column| column.eq_ignore_ascii_case(written)))
}

/// `None` stands for every column.
fn listed(columns: &str) -> Option<Vec<String>> {
    if columns.is_empty() {
        None
    } else {
        Some(columns.split(',').map(ToOwned::to_owned).collect())
    }
}

/// The columns of `UPDATE OF a, b ON t`; none for a trigger for inserts or deletes. A text that is not understood fires
/// for every column.
fn columns_of(sql: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = sql
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .collect();
    let is = |word: &&str, keyword: &str| word.eq_ignore_ascii_case(keyword);
    // The name of the trigger comes before, and may be any word.
    let named = words.iter().position(|word| is(word, "trigger")).map_or(0, |at| at + 2);
    let (at, event) = words
        .iter()
        .enumerate()
        .skip(named)
        .find(|(_, word)| ["update", "insert", "delete"].iter().any(|event| is(word, event)))?;
    if !is(event, "update") {
        return Some(Vec::new());
    }
    let mut rest = words.iter().skip(at + 1);
    if !rest.next().is_some_and(|word| is(word, "of")) {
        return None;
    }
    Some(
        rest.take_while(|word| !is(word, "on"))
            .map(|word| word.trim_matches(['"', '`', '[', ']']).to_owned())
            .collect(),
    )
}

/// The catalogue's texts come as bytes from some servers.
fn text(row: &QueryResult, name: &str) -> Result<String, DbErr> {
    let found = row.try_get::<Option<String>>("", name).or_else(|_| {
        let bytes = row.try_get::<Option<Vec<u8>>>("", name)?;
        Ok::<_, DbErr>(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    })?;
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_limited_to_the_columns_that_it_names() {
        let columns = |sql: &str| columns_of(sql);
        assert_eq!(columns("CREATE TRIGGER t AFTER UPDATE ON webhook BEGIN SELECT 1; END"), None);
        assert_eq!(
            columns(
                "create trigger \"update\" before update of name, \"url\" on webhook BEGIN SELECT 1; END"
            ),
            Some(vec!["name".to_owned(), "url".to_owned()])
        );
        assert_eq!(
            columns(
                "CREATE TRIGGER IF NOT EXISTS t DELETE ON webhook BEGIN UPDATE x SET a = 1; END"
            ),
            Some(Vec::new())
        );
        assert_eq!(
            columns("CREATE TEMP TRIGGER t\nAFTER INSERT ON a BEGIN UPDATE webhook SET a = 1; END"),
            Some(Vec::new())
        );
        assert_eq!(columns("what is this"), None);
    }
}
