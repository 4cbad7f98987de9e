//! Inspects tables on MySQL and MariaDB, by the text of SHOW CREATE TABLE.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_migration::{Adoption, Engine, Limit, binary_collation};

use super::{Form, Subject, query, required, text, texts};
use crate::schema::sealing::create_table::{
    CreateTable, column_of, has_word, key_columns, mentions, split_first, tokens,
};

/// Obstacles that do not depend on the columns.
const OBSTACLES: &str = "SELECT concat('trigger `', trigger_name, '`') AS what FROM information_schema.triggers \
        WHERE event_object_schema = DATABASE() AND event_object_table = $1 \
    UNION ALL SELECT concat('trigger `', trigger_name, '` of table `', event_object_table, '`, which mentions it') \
        FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND event_object_table <> $2 \
        AND concat(' ', action_statement, ' ') REGEXP concat('[^A-Za-z0-9_]', $3, '[^A-Za-z0-9_]') \
    UNION ALL SELECT concat('view `', table_name, '`') FROM information_schema.views \
        WHERE locate(concat('`', DATABASE(), '`.`', $4, '`'), view_definition) > 0 \
    UNION ALL SELECT DISTINCT 'its being partitioned' FROM information_schema.partitions \
        WHERE table_schema = DATABASE() AND table_name = $5 AND partition_name IS NOT NULL \
    UNION ALL SELECT concat('its storage engine ', engine) FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = $6 AND table_type <> 'VIEW' AND engine <> 'InnoDB' \
    UNION ALL SELECT concat('its being a ', lower(table_type), ' table') FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = $7 AND table_type NOT IN ('BASE TABLE') \
    UNION ALL SELECT concat('its ROW_FORMAT ', row_format, ', whose keys are too short') FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_name = $8 AND engine = 'InnoDB' AND row_format IN ('Compact', 'Redundant') \
    UNION ALL SELECT concat('generated column `', column_name, '`') FROM information_schema.columns \
        WHERE table_schema = DATABASE() AND table_name = $9 AND (extra LIKE '%VIRTUAL GENERATED%' OR extra LIKE '%STORED GENERATED%')";
/// Foreign keys of the table, and of others that refer to it: the constraint, the column of this table, the other table.
const KEYS: &str = "SELECT constraint_name AS name, column_name AS own, referenced_table_name AS other \
        FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND table_name = $1 AND referenced_table_name IS NOT NULL \
    UNION ALL SELECT constraint_name, referenced_column_name, table_name FROM information_schema.key_column_usage \
        WHERE referenced_table_schema = DATABASE() AND referenced_table_name = $2";
const COLUMNS: &str = "SELECT column_name AS name, data_type AS base, column_type AS kind, collation_name AS collation_name, \
    CAST(character_maximum_length AS SIGNED) AS width, is_nullable = 'YES' AS nullable FROM information_schema.columns \
    WHERE table_schema = DATABASE() AND table_name = $1 ORDER BY ordinal_position";
const TABLE: &str = "SELECT table_collation AS what FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = $1";
/// Views and foreign keys of other tables.
const DEPENDENTS: &str = "SELECT concat('view `', table_name, '` reads table `', $1, '`') AS what FROM information_schema.views \
        WHERE locate(concat('`', DATABASE(), '`.`', $2, '`'), view_definition) > 0 AND table_name NOT LIKE 'strongroom!_%' ESCAPE '!' \
        AND table_schema = DATABASE() \
    UNION ALL SELECT concat('foreign key `', constraint_name, '` of table `', table_name, '` refers to table `', $3, '`') \
        FROM information_schema.referential_constraints WHERE unique_constraint_schema = DATABASE() \
        AND referenced_table_name = $4 AND table_name <> referenced_table_name";

/// The bytes of a key.
const LONGEST_KEY: u64 = 3072;
/// The bytes of a row without its long texts.
const LONGEST_ROW: u64 = 65535;

pub(super) async fn inspect(
    db: &impl ConnectionTrait,
    engine: Engine,
    subject: &Subject,
) -> Result<Form, DbErr> {
    let table = subject.table.as_str();
    let mut form = Form { obstacles: texts(db, OBSTACLES, &[table; 9]).await?, ..Form::default() };
    let shown = query(db, &format!("SHOW CREATE TABLE `{table}`"), &[]).await?;
    let shown = shown.first().map_or(Ok(None), |row| text(row, "Create Table"))?;
    let Some(shown) = shown.and_then(|sql| CreateTable::parse(&sql)) else {
        form.obstacle("its being no ordinary table");
        return Ok(form);
    };
    if has_word(&shown.tail, &["VERSIONING"])
        || shown.items.iter().any(|item| has_word(item, &["PERIOD", "VERSIONING"]))
    {
        form.obstacle("its system versioning or its period, which keep former values");
    }
    let mut in_keys = Vec::new();
    for row in query(db, KEYS, &[table, table]).await? {
        let (name, own, other) =
            (required(&row, "name")?, required(&row, "own")?, required(&row, "other")?);
        if subject.sealed().any(|(_, theirs)| theirs.eq_ignore_ascii_case(&own)) {
            form.obstacle(format!(
                "foreign key `{name}` between column `{own}` and table `{other}`"
            ));
        }
        in_keys.push(own);
    }
    let columns = query(db, COLUMNS, &[table]).await?;
    let columns = columns.iter().map(Column::read).collect::<Result<Vec<_>, _>>()?;
    let whole = texts(db, TABLE, &[table]).await?.into_iter().next().unwrap_or_default();
    AdoptionSql {
        engine,
        subject,
        shown: &shown,
        in_keys: &in_keys,
        columns: &columns,
        whole: &whole,
    }
    .all(&mut form);
    Ok(form)
}

/// A column as the catalogue has it.
struct Column {
    name: String,
    base: String,
    kind: String,
    collation: Option<String>,
    width: u64,
    nullable: bool,
}

impl Column {
    fn read(row: &QueryResult) -> Result<Self, DbErr> {
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

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn limit(&self, ours: &str) -> Limit {
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
    fn bytes(&self, bytes: u64) -> u64 {
        if self.base.contains("text") || self.base.contains("blob") || self.base == "json" {
            12
        } else {
            self.width.max(2) * bytes
        }
    }
}

/// Builds the SQL of step 1 and of its way back.
struct AdoptionSql<'a> {
    engine: Engine,
    subject: &'a Subject,
    shown: &'a CreateTable,
    in_keys: &'a [String],
    columns: &'a [Column],
    /// The collation of columns that name none.
    whole: &'a str,
}

impl AdoptionSql<'_> {
    fn all(&self, form: &mut Form) {
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
            if let Some(ours) = ours.filter(|ours| super::SEALED.contains(ours)) {
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

/// A collation's name begins with its character set's.
fn character_set(collation: &str) -> &str {
    collation.split('_').next().unwrap_or_default()
}

fn is_index(item: &str) -> bool {
    column_of(item).is_none()
        && !has_word(item, &["CONSTRAINT", "PRIMARY", "FOREIGN", "CHECK", "PERIOD"])
}

/// The name of a key or of a constraint: its first quoted name.
fn name_of(item: &str) -> String {
    tokens(item)
        .find(|token| !token.is_bare_word())
        .and_then(|token| token.name())
        .unwrap_or_default()
}

/// Whether a name stands in an item after the item's own name.
fn mentions_inside(item: &str, name: &str) -> bool {
    item.split_once('(').is_some_and(|(_, inside)| mentions(inside, name))
}

fn with_collation(definition: &str, kind: &str, exact: &str) -> String {
    let mut out = String::new();
    let mut words = definition.split_inclusive(' ').peekable();
    while let Some(word) = words.next() {
        match word.trim() {
            "CHARACTER" if words.peek().is_some_and(|next| next.trim() == "SET") => {
                words.next();
                words.next();
            }
            "COLLATE" => {
                words.next();
            }
            _ => out.push_str(word),
        }
    }
    out.replacen(kind, &format!("{kind} {exact} "), 1)
}

/// MariaDB prints a column's own CHECK with the column.
fn without_check(definition: &str) -> String {
    let mut depth = 0_usize;
    let mut cut: Option<(usize, usize)> = None;
    for token in tokens(definition) {
        match (&mut cut, token.text) {
            (None, word) if word.eq_ignore_ascii_case("CHECK") => {
                cut = Some((token.start, definition.len()));
            }
            (Some(_), "(") => depth += 1,
            (Some((_, end)), ")") => {
                depth -= 1;
                if depth == 0 {
                    *end = token.end;
                    break;
                }
            }
            _ => {}
        }
    }
    let Some((start, end)) = cut else { return definition.to_owned() };
    [definition.get(..start), definition.get(end..)].into_iter().flatten().collect()
}

pub(super) async fn dependents(
    db: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<String>, DbErr> {
    texts(db, DEPENDENTS, &[table; 4]).await
}

/// Indexes, CHECKs, generated columns and views that mention the column. Names that begin with `credential_` are ours.
pub(super) async fn column_dependents(
    db: &impl ConnectionTrait,
    table: &str,
    column: &str,
) -> Result<Vec<String>, DbErr> {
    let shown = query(db, &format!("SHOW CREATE TABLE `{table}`"), &[]).await?;
    let shown = shown.first().map_or(Ok(None), |row| text(row, "Create Table"))?;
    let Some(shown) = shown.and_then(|sql| CreateTable::parse(&sql)) else { return Ok(Vec::new()) };
    let mine = |item: &&String| {
        let is_ours = is_index(item) && name_of(item).starts_with("credential_");
        mentions_inside(item, column)
            && !is_ours
            && !column_of(item).is_some_and(|it| it.eq_ignore_ascii_case(column))
    };
    let found =
        shown.items.iter().filter(mine).filter(|item| !mentions(item, "strongroom_nothing_yet"));
    let mut found: Vec<_> = found
        .map(|item| format!("`{}` mentions column `{column}` of table `{table}`", item.trim()))
        .collect();
    let views = "SELECT concat('view `', table_name, '`') AS what FROM information_schema.views WHERE table_schema = DATABASE() \
        AND table_name NOT LIKE 'strongroom!_%' ESCAPE '!' AND locate(concat('`', $1, '`'), view_definition) > 0 \
        AND locate(concat('`', $2, '`'), view_definition) > 0";
    let views = texts(db, views, &[table, column]).await?;
    found.extend(
        views.into_iter().map(|view| format!("{view} reads column `{column}` of table `{table}`")),
    );
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_columns_own_check_is_cut_and_nothing_else() {
        let cut =
            without_check(" varchar(9) DEFAULT ')' CHECK (length(`a`) > (3)) COMMENT 'CHECK (1)'");
        assert_eq!(cut, " varchar(9) DEFAULT ')'  COMMENT 'CHECK (1)'");
        assert_eq!(without_check(" text"), " text");
    }

    #[test]
    fn a_collation_replaces_the_one_that_was_there() {
        let exact = "CHARACTER SET utf8mb4 COLLATE ours";
        let with = |definition| {
            with_collation(definition, "varchar(9)", exact)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            with(" varchar(9) DEFAULT NULL"),
            "varchar(9) CHARACTER SET utf8mb4 COLLATE ours DEFAULT NULL"
        );
        assert_eq!(
            with(" varchar(9) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL COMMENT 'x'"),
            "varchar(9) CHARACTER SET utf8mb4 COLLATE ours NOT NULL COMMENT 'x'"
        );
    }
}
