//! Builds the SQL of step 1 and of its way back.

use std::collections::BTreeSet;

use strongroom_migration::{Adoption, Engine, binary_collation};

use super::super::{Form, SEALED, Subject};
use super::column::{Column, character_set};
use super::definition::{with_collation, without_check};
use super::item::{is_index, mentions_inside, name_of};
use crate::schema::sealing::create_table::{
    CreateTable, column_of, has_word, key_columns, split_first,
};

/// The bytes of a key.
const LONGEST_KEY: u64 = 3072;
/// The bytes of a row without its long texts.
const LONGEST_ROW: u64 = 65535;

/// A table before step 1, and its subject.
pub(super) struct AdoptionSql<'a> {
    pub(super) engine: Engine,
    pub(super) subject: &'a Subject,
    pub(super) shown: &'a CreateTable,
    pub(super) in_keys: &'a [String],
    pub(super) columns: &'a [Column],
    /// The collation of columns that name none.
    pub(super) whole: &'a str,
}

impl AdoptionSql<'_> {
    /// Adds what step 1 changes to the form, with the way back and the obstacles.
    pub(super) fn all(&self, form: &mut Form) {
        let mut changes = Vec::new();
        for column in self.columns {
            let ours = self
                .subject
                .matched
                .iter()
                .find(|(_, theirs)| column.is(theirs))
                .map(|(ours, _)| *ours);
            if column.base == "char" && ours.is_some() {
                form.obstacle(format!(
                    "column `{}`, which is {}: the server strips its blanks, and a cell is bound to its exact text",
                    column.name, column.kind
                ));
            }
            let Some(item) = self.item(&column.name) else { continue };
            if column.base == "json" && ours == Some("extra") {
                form.casts.push(("extra".to_owned(), "json".to_owned()));
            }
            if let Some(changed) = self.changed(column, ours, item) {
                changes.push(format!("MODIFY COLUMN `{}` {changed}", column.name));
                form.carried.push(format!("definition of column {}", item.trim()));
            }
            if let Some(ours) = ours.filter(|ours| SEALED.contains(ours)) {
                form.limits.push(column.limit(ours));
            }
        }
        self.refuse_long(form);
        self.carry_items(form);
        self.attach_columns(form);
        if !changes.is_empty() {
            let table = &self.subject.table;
            changes.push(format!(
                "DEFAULT CHARACTER SET utf8mb4 COLLATE {}",
                binary_collation(self.engine)
            ));
            form.detach.push(format!(
                "-- {}\nALTER TABLE `{table}` {}",
                self.left_to_do(),
                changes.join(", ")
            ));
        }
    }

    /// A column's text in SHOW CREATE TABLE.
    fn item(&self, column: &str) -> Option<&str> {
        self.shown.place(column).and_then(|at| self.shown.items.get(at)).map(String::as_str)
    }

    /// The definition that step 1 gives to a column, where it is another one. A column of a foreign key keeps its own,
    /// which is that of the column at the other end.
    fn changed(&self, column: &Column, ours: Option<&'static str>, item: &str) -> Option<String> {
        let exact = format!("CHARACTER SET utf8mb4 COLLATE {}", binary_collation(self.engine));
        match ours? {
            "access_key" => return Some(format!("varchar(255) {exact}")),
            "secret_key" => return Some(format!("mediumtext {exact} NOT NULL")),
            "extra" if column.base == "json" => {
                let null = if column.nullable { "" } else { " NOT NULL" };
                return Some(format!("longtext {exact}{null}"));
            }
            _ => {}
        }
        let is_text = column.base == "varchar" || column.base.ends_with("text");
        let is_renamed = self.subject.renamed().any(|(_, theirs)| column.is(theirs));
        let has_check = has_word(item, &["CHECK"]) && is_renamed;
        let is_key = self.in_keys.iter().any(|name| column.is(name));
        let loose = is_text
            && !is_key
            && column.collation.as_deref() != Some(binary_collation(self.engine));
        if !loose && !has_check {
            return None;
        }
        let (_, definition) = split_first(item);
        let definition = if has_check { without_check(definition) } else { definition.to_owned() };
        Some(if loose { with_collation(&definition, &column.kind, &exact) } else { definition })
    }

    /// Keys that grow too long, and a row that does: four bytes a character, where there were fewer.
    fn refuse_long(&self, form: &mut Form) {
        let is_changed = |column: &Column| {
            !self.in_keys.iter().any(|name| column.is(name)) && column.collation.is_some()
        };
        for item in self.shown.items.iter().filter(|item| is_index(item)) {
            let columns = key_columns(item);
            let parts = columns
                .iter()
                .filter_map(|name| self.columns.iter().find(|column| column.is(name)));
            let bytes: u64 =
                parts.map(|column| column.bytes(if is_changed(column) { 4 } else { 1 })).sum();
            let is_prefix = item.matches('(').count() > 1;
            if bytes > LONGEST_KEY && !is_prefix && !self.is_touched(item) {
                form.obstacle(format!(
                    "index `{}`, which gets too long in utf8mb4: {bytes} bytes, and {LONGEST_KEY} are possible",
                    name_of(item)
                ));
            }
        }
        let row: u64 = self
            .columns
            .iter()
            .map(|column| column.bytes(if column.collation.is_some() { 4 } else { 1 }))
            .sum();
        if row > LONGEST_ROW {
            form.obstacle(format!(
                "its columns, which get too long in utf8mb4: {row} bytes a row, and {LONGEST_ROW} are possible"
            ));
        }
    }

    /// Whether an index or a constraint speaks of a sealed column.
    fn is_touched(&self, item: &str) -> bool {
        self.subject.sealed().any(|(_, theirs)| mentions_inside(item, theirs))
    }

    fn carry_items(&self, form: &mut Form) {
        let table = &self.subject.table;
        for item in self.shown.items.iter().filter(|item| column_of(item).is_none()) {
            let (name, item) = (name_of(item), item.trim());
            if self.is_touched(item) && !Adoption::is_plain_name(&name) {
                form.obstacle(format!(
                    "the name of `{name}`, which is no plain name: letters, digits and underscores"
                ));
                continue;
            }
            if is_index(item) && self.is_touched(item) {
                let stands_in = self
                    .support(item)
                    .map(|(index, column)| format!(", ADD INDEX `{index}` (`{column}`)"));
                let stands_in = stands_in.unwrap_or_default();
                form.carried.push(format!("index {name}"));
                form.detach.push(format!("-- if index {table}.{name}\nALTER TABLE `{table}` DROP INDEX `{name}`{stands_in}"));
                form.attach.push(format!(
                    "-- unless index {table}.{name}\nALTER TABLE `{table}` ADD {item}"
                ));
            }
            let is_check = has_word(item, &["CHECK"]) && !has_word(item, &["FOREIGN"]);
            let speaks = is_check
                && (self.is_touched(item)
                    || self.subject.renamed().any(|(_, it)| mentions_inside(item, it)));
            if speaks {
                form.carried.push(format!("constraint {name}"));
                form.detach.push(format!(
                    "-- if check {table}.{name}\nALTER TABLE `{table}` DROP CONSTRAINT `{name}`"
                ));
                form.attach.push(format!(
                    "-- unless check {table}.{name}\nALTER TABLE `{table}` ADD {item}"
                ));
            }
        }
    }

    /// A foreign key needs an index that begins with its column: another one, while this one is away.
    fn support(&self, item: &str) -> Option<(String, String)> {
        let first = key_columns(item).into_iter().next()?;
        let is_key = self.in_keys.iter().any(|name| name.eq_ignore_ascii_case(&first));
        is_key.then(|| (format!("strongroom_{}", name_of(item)).chars().take(64).collect(), first))
    }

    /// Each column exactly as it was, and in its place.
    fn attach_columns(&self, form: &mut Form) {
        let table = &self.subject.table;
        let mut actions = Vec::new();
        let mut before: Option<String> = None;
        for item in self.shown.items.iter().take(self.shown.columns()) {
            let Some(name) = column_of(item) else { continue };
            let place =
                before.map_or_else(|| "FIRST".to_owned(), |before| format!("AFTER `{before}`"));
            let is_key = self.in_keys.contains(&name);
            if !is_key {
                actions.push(format!("MODIFY COLUMN {} {place}", item.trim()));
            }
            before = Some(name);
        }
        let supports = self
            .shown
            .items
            .iter()
            .filter(|item| is_index(item) && self.is_touched(item))
            .filter_map(|item| self.support(item));
        let supports: BTreeSet<_> = supports.map(|(index, _)| index).collect();
        // The server prints no collation that is the table's, so that one comes first.
        let (set, collation) = (character_set(self.whole), self.whole);
        let default = format!(
            "-- unless collation {table}.{collation}\nALTER TABLE `{table}` DEFAULT CHARACTER SET {set} COLLATE {collation}"
        );
        let guard = self
            .original_kind()
            .map_or_else(|| format!("if table {table}"), |kind| format!("unless kind {kind}"));
        let columns = format!("-- {guard}\nALTER TABLE `{table}` {}", actions.join(", "));
        form.attach.splice(0..0, [default, columns]);
        for name in supports {
            form.attach.push(format!(
                "-- if index {table}.{name}\nALTER TABLE `{table}` DROP INDEX `{name}`"
            ));
        }
    }

    /// Tells that the columns are as they were: one of them still has its own type and collation.
    fn left_to_do(&self) -> String {
        let table = &self.subject.table;
        self.original_kind()
            .map_or_else(|| format!("if table {table}"), |kind| format!("if kind {kind}"))
    }

    /// A sealed column with its type and collation, where step 1 changes these.
    fn original_kind(&self) -> Option<String> {
        self.subject.sealed().find_map(|(ours, theirs)| {
            let column = self.columns.iter().find(|column| column.is(theirs))?;
            let collation = column.collation.as_deref()?;
            let kind = if ours == "access_key" { "varchar(255)" } else { "mediumtext" };
            let is_changed =
                (column.kind.as_str(), collation) != (kind, binary_collation(self.engine));
            is_changed.then(|| {
                format!("{}.{}:{}:{collation}", self.subject.table, column.name, column.kind)
            })
        })
    }
}
