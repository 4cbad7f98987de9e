//! SQLite, by the text that made the table.

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_entity::SealedTable;

use super::{entangled, query, required_text};
use crate::schema::sealing::create_table::{
    CreateTable, column_of, has_word, key_columns, mentions,
};
use crate::schema::sealing::error::Unsealable;
use crate::schema::sealing::original::{Index, OriginalColumn, OriginalColumns};

const TABLE: &str =
    "SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower($1)";
const COLUMN: &str = "SELECT type AS kind, CAST(cid AS INTEGER) AS place FROM pragma_table_info($1) WHERE lower(name) = lower($2)";
const OTHERS: &str = "SELECT type AS kind, name, tbl_name AS of_table, sql FROM sqlite_master \
    WHERE sql IS NOT NULL AND type <> 'table' AND name NOT LIKE 'strongroom\\_%' ESCAPE '\\'";
const REFERRING: &str = "SELECT DISTINCT m.name AS name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
    WHERE m.type = 'table' AND lower(f.\"table\") = lower($1)";

pub(super) async fn originals(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
) -> Result<OriginalColumns, Unsealable> {
    let made = made(db, table).await?;
    let mut originals = Vec::new();
    for column in table.plain_columns() {
        originals.push((column, original(db, table, column, &made).await?));
    }
    let constrained = originals.iter().any(|(_, original)| original.constrained);
    match referring(db, table).await? {
        by if constrained && !by.is_empty() => {
            Err(Unsealable::Referenced { table: table.name, by: by.join(", ") })
        }
        _ => Ok(originals),
    }
}

/// The text that made the table, taken apart.
pub(in crate::schema::sealing) async fn made(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
) -> Result<CreateTable, Unsealable> {
    let rows = query(db, TABLE, &[table.name]).await?;
    let sql = rows.first().map_or(Ok(String::new()), |row| required_text(row, "sql"))?;
    CreateTable::parse(&sql).ok_or(Unsealable::NoTable(table.name))
}

/// Returns the tables whose foreign keys would act on this one being dropped and made anew.
///
/// None where the session does not enforce foreign keys: the references go by name, and the rows stay as they are.
pub(in crate::schema::sealing) async fn referring(
    db: &impl ConnectionTrait,
    table: &SealedTable,
) -> Result<Vec<String>, DbErr> {
    let enforced = query(db, "PRAGMA foreign_keys", &[]).await?;
    if enforced.first().map_or(Ok(0), |row| row.try_get_by_index::<i32>(0))? == 0 {
        return Ok(Vec::new());
    }
    query(db, REFERRING, &[table.name])
        .await?
        .iter()
        .map(|row| required_text(row, "name"))
        .collect()
}

async fn original(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    column: &'static str,
    made: &CreateTable,
) -> Result<OriginalColumn, Unsealable> {
    let rows = query(db, COLUMN, &[table.name, column]).await?;
    let none = || Unsealable::NoColumn { table: table.name, column };
    let (row, at) = (rows.first().ok_or_else(none)?, made.place(column).ok_or_else(none)?);
    let kind = required_text(row, "kind")?;
    if !["CHAR", "CLOB", "TEXT"].iter().any(|word| kind.to_uppercase().contains(word)) {
        return Err(Unsealable::Type { table: table.name, column, found: kind, wanted: "text" });
    }
    let definition = made.items.get(at).cloned().unwrap_or_default();
    if has_word(&definition, &["PRIMARY", "REFERENCES", "GENERATED", "AS"]) {
        return Err(entangled(table, column, "its being a key, a foreign key or generated"));
    }
    let mut constraints = Vec::new();
    for item in made
        .items
        .iter()
        .enumerate()
        .filter(|(n, item)| *n != at && mentions(item, column))
        .map(|(_, item)| item)
    {
        let is_unique = column_of(item).is_none() && has_word(item, &["UNIQUE"]);
        let alone =
            matches!(key_columns(item).as_slice(), [only] if only.eq_ignore_ascii_case(column));
        if !is_unique || !alone {
            return Err(entangled(table, column, item.trim()));
        }
        constraints.push(item.clone());
    }
    let more = ["NOT", "UNIQUE", "DEFAULT", "CHECK", "CONSTRAINT"];
    Ok(OriginalColumn {
        kind,
        place: row.try_get("", "place")?,
        after: at.checked_sub(1).and_then(|before| column_of(made.items.get(before)?)),
        constrained: has_word(&definition, &more) || !constraints.is_empty(),
        definition: Some(definition),
        constraints,
        indexes: indexes(db, table, column).await?,
    })
}

/// The indexes over the column alone; refuses whatever else speaks of it.
async fn indexes(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    column: &'static str,
) -> Result<Vec<Index>, Unsealable> {
    let mut indexes = Vec::new();
    for row in query(db, OTHERS, &[]).await? {
        let (kind, name, sql) = (
            required_text(&row, "kind")?,
            required_text(&row, "name")?,
            required_text(&row, "sql")?,
        );
        let of_this = required_text(&row, "of_table")?.eq_ignore_ascii_case(table.name);
        let speaks = mentions(&sql, column) && (of_this || mentions(&sql, table.name));
        let mut columns = Vec::new();
        if kind == "index" {
            columns = key_columns(&sql);
        }
        let alone = matches!(columns.as_slice(), [only] if only.eq_ignore_ascii_case(column))
            && !has_word(&sql, &["WHERE"]);
        match (speaks, of_this && alone) {
            (_, true) => indexes.push(Index { name, sql }),
            (true, false)
                if kind != "index"
                    || columns.iter().any(|it| it.eq_ignore_ascii_case(column))
                    || has_word(&sql, &["WHERE"]) =>
            {
                return Err(entangled(table, column, format!("{kind} {name}")));
            }
            _ => {}
        }
    }
    Ok(indexes)
}
