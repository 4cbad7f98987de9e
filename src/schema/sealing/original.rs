//! What a plaintext column was like, written into the manifest before it goes.
//!
//! It is authenticated there: parts of it are SQL that is run, on the way back, with the rights of an upgrade.

use std::collections::BTreeMap;

use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use strongroom_entity::SealedTable;

use super::create_table::has_word;

/// One column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OriginalColumn {
    /// Its type and collation: all that it has while it is being filled again.
    pub(super) kind: String,
    /// Its place among the table's columns.
    pub(super) place: i64,
    /// The column before it.
    pub(super) after: Option<String>,
    /// Its whole definition, as CREATE TABLE has it; PostgreSQL has none.
    pub(super) definition: Option<String>,
    /// Whether there is more to it than its type: SQLite then makes the table anew, there and back.
    pub(super) constrained: bool,
    /// Constraints that stand apart from it: parts of ALTER TABLE, on SQLite items of CREATE TABLE.
    pub(super) constraints: Vec<String>,
    /// Its indexes.
    pub(super) indexes: Vec<Index>,
}

/// An index over the column alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    pub(super) name: String,
    /// A statement; on MySQL and MariaDB a part of ALTER TABLE.
    pub(super) sql: String,
}

impl OriginalColumn {
    /// Whether no two rows may have the same value.
    pub(super) fn is_unique(&self) -> bool {
        let indexes = self.indexes.iter().map(|index| &index.sql);
        self.definition
            .iter()
            .chain(&self.constraints)
            .chain(indexes)
            .any(|sql| has_word(sql, &["UNIQUE"]))
    }
}

/// The plaintext columns of a table, as they stood in it.
pub(super) type OriginalColumns = Vec<(&'static str, OriginalColumn)>;

/// For the manifest.
pub(super) fn written(originals: &OriginalColumns) -> Result<BTreeMap<String, String>, DbErr> {
    let text = |original: &OriginalColumn| {
        serde_json::to_string(original).map_err(|error| DbErr::Json(error.to_string()))
    };
    originals.iter().map(|(column, original)| Ok(((*column).to_owned(), text(original)?))).collect()
}

/// From the manifest.
pub(super) fn read(
    table: &'static SealedTable,
    written: &BTreeMap<String, String>,
) -> Result<OriginalColumns, DbErr> {
    let mut originals = Vec::new();
    for column in table.plain_columns() {
        let text = written.get(column).ok_or_else(|| {
            DbErr::Migration(format!(
                "the manifest does not say what column `{column}` of `{}` was like",
                table.name
            ))
        })?;
        originals.push((
            column,
            serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))?,
        ));
    }
    originals.sort_by_key(|(_, original): &(_, OriginalColumn)| original.place);
    Ok(originals)
}

/// For a plan, which asks the database nothing.
pub(super) fn unknown(table: &'static SealedTable) -> OriginalColumns {
    table
        .plain_columns()
        .map(|column| (column, OriginalColumn { kind: "text".into(), ..OriginalColumn::default() }))
        .collect()
}
