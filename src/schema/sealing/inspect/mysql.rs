//! MySQL and MariaDB, by what SHOW CREATE TABLE says.

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_entity::SealedTable;

use super::{entangled, query, required_text, text};
use crate::schema::sealing::create_table::{
    CreateTable, column_of, has_word, key_columns, mentions, split_first,
};
use crate::schema::sealing::error::Unsealable;
use crate::schema::sealing::guard::{DmlEvent, Guard};
use crate::schema::sealing::original::{Index, OriginalColumn, OriginalColumns};
use crate::schema::sealing::text::{COMING_BACK, nothing_yet};

const COLUMN: &str = "SELECT CAST(ordinal_position AS SIGNED) AS place, data_type AS base, column_type AS kind, \
    character_set_name AS character_set, collation_name AS collation_name \
    FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = $1 AND column_name = $2";
const REFERRING: &str = "SELECT constraint_name AS what, table_name AS of_table FROM information_schema.key_column_usage \
    WHERE referenced_table_schema = DATABASE() AND referenced_table_name = $1 AND referenced_column_name = $2";
const TRIGGERS: &str = "SELECT trigger_name AS name, action_statement AS body FROM information_schema.triggers \
    WHERE event_object_schema = DATABASE() AND event_object_table = $1";
const CONSTRAINT: &str = "SELECT constraint_name AS name FROM information_schema.table_constraints \
    WHERE table_schema = DATABASE() AND table_name = $1 AND constraint_name = $2";
const COMES_BACK: &str = "SELECT column_name AS name FROM information_schema.columns \
    WHERE table_schema = DATABASE() AND table_name = $1 AND column_comment = $2";
const VIEWS: &str = "SELECT table_name AS name, view_definition AS body FROM information_schema.views WHERE table_schema = DATABASE()";

pub(super) async fn originals(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
) -> Result<OriginalColumns, Unsealable> {
    let sql = format!("SHOW CREATE TABLE `{}`", table.name);
    let rows = query(db, &sql, &[]).await?;
    let shown = rows.first().map_or(Ok(String::new()), |row| required_text(row, "Create Table"))?;
    let shown = CreateTable::parse(&shown).ok_or(Unsealable::NoTable(table.name))?;
    let mut originals = Vec::new();
    for column in table.plain_columns() {
        originals.push((column, original(db, table, column, &shown).await?));
    }
    Ok(originals)
}

async fn original(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    column: &'static str,
    shown: &CreateTable,
) -> Result<OriginalColumn, Unsealable> {
    let rows = query(db, COLUMN, &[table.name, column]).await?;
    let none = || Unsealable::NoColumn { table: table.name, column };
    let (row, at) = (rows.first().ok_or_else(none)?, shown.place(column).ok_or_else(none)?);
    let (found, base) = (required_text(row, "kind")?, required_text(row, "base")?.to_lowercase());
    if !["char", "varchar", "tinytext", "text", "mediumtext", "longtext"].contains(&base.as_str()) {
        return Err(Unsealable::Type { table: table.name, column, found, wanted: "text" });
    }
    let definition = shown.items.get(at).cloned().unwrap_or_default();
    if has_word(&definition, &["GENERATED", "CHECK", "AS"]) {
        return Err(entangled(table, column, "a CHECK, or its being generated"));
    }
    let mut indexes = Vec::new();
    for item in shown
        .items
        .iter()
        .enumerate()
        .filter(|(n, item)| *n != at && mentions(item, column))
        .map(|(_, item)| item)
    {
        let is_key = column_of(item).is_none()
            && !has_word(item, &["CONSTRAINT", "PRIMARY", "FOREIGN", "CHECK"]);
        if !is_key || key_columns(item) != [column] {
            // A key that merely bears the column's name.
            let names_it = key_columns(item).iter().any(|name| name.eq_ignore_ascii_case(column));
            if is_key && !names_it {
                continue;
            }
            return Err(entangled(table, column, item.trim()));
        }
        indexes.push(Index { name: name_of_key(item), sql: item.trim().to_owned() });
    }
    refuse_dependents(db, table, column).await?;
    let character_set =
        text(row, "character_set")?.map_or_else(String::new, |set| format!(" CHARACTER SET {set}"));
    let collation = text(row, "collation_name")?
        .map_or_else(String::new, |collation| format!(" COLLATE {collation}"));
    Ok(OriginalColumn {
        kind: format!("{found}{character_set}{collation}"),
        place: row.try_get("", "place")?,
        after: at.checked_sub(1).and_then(|before| column_of(shown.items.get(before)?)),
        definition: Some(with_collation(
            &definition,
            &found,
            &format!("{character_set}{collation}"),
        )),
        constrained: false,
        constraints: Vec::new(),
        indexes,
    })
}

/// The server leaves out what is the table's default, which may be another one by then.
fn with_collation(definition: &str, kind: &str, collation: &str) -> String {
    if has_word(definition, &["COLLATE", "CHARACTER"]) {
        return definition.to_owned();
    }
    // A name may have the type in it.
    let (name, rest) = split_first(definition);
    format!("{name}{}", rest.replacen(kind, &format!("{kind}{collation}"), 1))
}

/// The word before the parenthesis.
fn name_of_key(item: &str) -> String {
    let before = item.split('(').next().unwrap_or_default();
    before.trim().rsplit(' ').next().unwrap_or_default().trim_matches('`').to_owned()
}

/// Foreign keys of other tables, triggers and views. The server would let the column go, and they would fail from then on.
async fn refuse_dependents(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    column: &'static str,
) -> Result<(), Unsealable> {
    if let Some(row) = query(db, REFERRING, &[table.name, column]).await?.first() {
        let what = format!(
            "foreign key {} of {}",
            required_text(row, "what")?,
            required_text(row, "of_table")?
        );
        return Err(entangled(table, column, what));
    }
    for row in query(db, TRIGGERS, &[table.name]).await? {
        let name = required_text(&row, "name")?;
        if !name.starts_with("strongroom_") && mentions(&required_text(&row, "body")?, column) {
            return Err(entangled(table, column, format!("trigger {name}")));
        }
    }
    for row in query(db, VIEWS, &[]).await? {
        let body = required_text(&row, "body")?;
        if mentions(&body, table.name) && mentions(&body, column) {
            return Err(entangled(table, column, format!("view {}", required_text(&row, "name")?)));
        }
    }
    Ok(())
}

/// Whether plaintext columns are on their way out, or back: what guards them, or what keeps everybody out of them until
/// they are guarded, is made before the columns count and goes after they went.
pub async fn is_half_way(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
) -> Result<bool, DbErr> {
    let guards = [Guard::Stale, Guard::Required, Guard::Restoring];
    let guards: Vec<_> = guards
        .iter()
        .flat_map(|guard| DmlEvent::BOTH.map(|event| guard.name(event, table)))
        .collect();
    for row in query(db, TRIGGERS, &[table.name]).await? {
        if guards.contains(&required_text(&row, "name")?) {
            return Ok(true);
        }
    }
    Ok(!query(db, COMES_BACK, &[table.name, COMING_BACK]).await?.is_empty()
        || !query(db, CONSTRAINT, &[table.name, &nothing_yet(table)]).await?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collation_follows_the_type_and_not_a_name_that_has_the_type_in_it() {
        let with = |definition, kind| with_collation(definition, kind, " COLLATE utf8mb4_bin");
        assert_eq!(
            with("\n  `plaintext` text NOT NULL", "text"),
            "\n  `plaintext` text COLLATE utf8mb4_bin NOT NULL"
        );
        assert_eq!(
            with("`varchar(9)``x` varchar(9)", "varchar(9)"),
            "`varchar(9)``x` varchar(9) COLLATE utf8mb4_bin"
        );
        assert_eq!(
            with("`a` text COLLATE utf8mb4_general_ci", "text"),
            "`a` text COLLATE utf8mb4_general_ci"
        );
    }
}
