//! Reads a table's columns from the catalogue, with their limits and lengths.

use sea_orm::{DbErr, QueryResult};
use strongroom_migration::Limit;

use super::super::{required, text};

/// A column as the catalogue has it.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) base: String,
    pub(super) kind: String,
    pub(super) collation: Option<String>,
    width: u64,
    pub(super) nullable: bool,
}

impl Column {
    pub(super) fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let width = row.try_get::<Option<i64>>("", "width")?.unwrap_or_default();
        Ok(Self {
            name: required(row, "name")?,
            base: required(row, "base")?.to_lowercase(),
            kind: required(row, "kind")?,
            collation: text(row, "collation_name")?,
            width: width.unsigned_abs(),
            nullable: row.try_get::<i64>("", "nullable")? != 0,
        })
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn limit(&self, ours: &str) -> Limit {
        let is_long = self.base.ends_with("text");
        let (characters, bytes) =
            if is_long { (u64::MAX, self.width) } else { (self.width, u64::MAX) };
        let highest = match self.collation.as_deref().map(character_set) {
            Some("utf8mb4") => u32::MAX,
            Some("utf8mb3" | "utf8") => 0xffff,
            Some("latin1") => 0xff,
            _ => 0x7f,
        };
        Limit { column: ours.to_owned(), characters, bytes, highest }
    }

    /// In the row itself, if each character takes `bytes`.
    pub(super) fn bytes(&self, bytes: u64) -> u64 {
        if self.base.contains("text") || self.base.contains("blob") || self.base == "json" {
            12
        } else {
            self.width.max(2) * bytes
        }
    }
}

/// A collation's name begins with its character set's.
pub(super) fn character_set(collation: &str) -> &str {
    collation.split('_').next().unwrap_or_default()
}
