//! Inspects tables on SQLite, by the texts in `sqlite_master`. Step 1 rebuilds the table from its own text without the
//! constraints of the sealed columns; its way back rebuilds the original text.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_migration::{Engine, added_type};

use super::rename::renamed;
use super::{Form, SEALED, Subject, query, required, texts};
use crate::schema::sealing::create_table::{CreateTable, column_of, has_word, mentions, tokens};

const ENGINE: Engine = Engine::Sqlite;

const MADE: &str = "SELECT coalesce(sql, '') AS what FROM sqlite_master WHERE type = 'table' AND lower(name) = lower($1)";
const INDEXES: &str = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND lower(tbl_name) = lower($1) ORDER BY rowid";
/// Triggers and views, of this table or of others.
const SPEAKING: &str = "SELECT type AS kind, name, coalesce(sql, '') AS sql, lower(tbl_name) = lower($1) AS own FROM sqlite_master \
    WHERE type IN ('trigger', 'view') AND name NOT LIKE 'strongroom\\_%' ESCAPE '\\' ORDER BY type, name";
const REFERRING: &str = "SELECT DISTINCT m.name AS what FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
    WHERE m.type = 'table' AND lower(f.\"table\") = lower($1) ORDER BY 1";
/// Foreign keys of other tables: the table, and the column that they refer to.
const KEYS: &str = "SELECT m.name AS name, coalesce(f.\"to\", '') AS column_name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
    WHERE m.type = 'table' AND lower(f.\"table\") = lower($1) ORDER BY 1";
const GENERATED: &str = "SELECT name AS what FROM pragma_table_xinfo($1) WHERE hidden <> 0";

pub(super) async fn inspect(db: &impl ConnectionTrait, subject: &Subject) -> Result<Form, DbErr> {
    let mut form = Form { obstacles: speaking(db, &subject.table).await?, ..Form::default() };
    for row in query(db, KEYS, &[&subject.table]).await? {
        let (by, column) = (required(&row, "name")?, required(&row, "column_name")?);
        if by.eq_ignore_ascii_case(&subject.table) {
            form.obstacle("a foreign key that refers to the table itself");
        } else if subject.sealed().any(|(_, theirs)| theirs.eq_ignore_ascii_case(&column)) {
            form.obstacle(format!(
                "a foreign key of table `{by}` that refers to column `{column}`"
            ));
        }
    }
    form.obstacles.extend(
        texts(db, GENERATED, &[&subject.table])
            .await?
            .iter()
            .map(|it| format!("generated column `{it}`")),
    );
    let made = texts(db, MADE, &[&subject.table]).await?.into_iter().next().unwrap_or_default();
    let text = CreateTable::parse(&made)
        .filter(|_| !has_word(made.split('(').next().unwrap_or_default(), &["VIRTUAL"]));
    let Some(text) = text else {
        form.obstacle("its being no ordinary table");
        return Ok(form);
    };
    refuse_items(&text, subject, &mut form);
    let mut indexes = Vec::new();
    for row in query(db, INDEXES, &[&subject.table]).await? {
        indexes.push((required(&row, "name")?, required(&row, "sql")?));
    }
    form.rebuild = Some(
        Rebuild { subject, text: &text, made: &made, indexes: &indexes }.both(&mut form.carried),
    );
    Ok(form)
}

fn refuse_items(text: &CreateTable, subject: &Subject, form: &mut Form) {
    for item in &text.items {
        let column = column_of(item);
        let of_sealed = subject.sealed().find(|(_, theirs)| mentions(item, theirs));
        if let Some((_, theirs)) = of_sealed
            && has_word(item, &["REFERENCES"])
            && column.as_ref().is_none_or(|it| it.eq_ignore_ascii_case(theirs))
        {
            form.obstacle(format!("the foreign key of column `{theirs}`"));
        }
        if let (Some((_, theirs)), Some(column)) = (of_sealed, &column)
            && !subject.sealed().any(|(_, it)| it.eq_ignore_ascii_case(column))
        {
            form.obstacle(format!(
                "a constraint of column `{column}` that mentions column `{theirs}`"
            ));
        }
        if has_word(item, &["NOCASE", "RTRIM"])
            && let Some(column) = column.filter(|it| {
                subject.matched.iter().any(|(_, theirs)| theirs.eq_ignore_ascii_case(it))
            })
        {
            form.obstacle(format!(
                "column `{column}`, whose collation misses changes of case or of blanks"
            ));
        }
    }
}

struct Rebuild<'a> {
    subject: &'a Subject,
    text: &'a CreateTable,
    made: &'a str,
    indexes: &'a [(String, String)],
}

impl Rebuild<'_> {
    /// The SQL of going up, and that of going down.
    fn both(&self, carried: &mut Vec<String>) -> (String, String) {
        let speaks = |text: &str| self.subject.sealed().any(|(_, theirs)| mentions(text, theirs));
        let (mut items, mut constraints) = (Vec::new(), Vec::new());
        for item in &self.text.items {
            let own = column_of(item).and_then(|name| self.sealed_item(&name));
            match own {
                Some(plain) => {
                    carried.push(format!(
                        "definition of column {}",
                        item.split_whitespace().collect::<Vec<_>>().join(" ")
                    ));
                    items.push(plain.to_owned());
                }
                None if column_of(item).is_some() => items.push(self.in_our_names(item)),
                None if speaks(item) => carried.push(format!("constraint {}", item.trim())),
                None => constraints.push(self.in_our_names(item)),
            }
        }
        let is_strict = has_word(&self.text.tail, &["STRICT"]);
        for column in &self.subject.added {
            let kind = added_type(column, Engine::Sqlite);
            let kind = if is_strict {
                kind.replace("varchar(255)", "text")
                    .replace("varchar(64)", "text")
                    .replace("timestamp", "text")
            } else {
                kind.to_owned()
            };
            items.push(format!("{} {kind}", ENGINE.quoted(column)));
        }
        items.extend(constraints);
        let (off, kept): (Vec<_>, Vec<_>) = self.indexes.iter().partition(|(_, sql)| speaks(sql));
        carried.extend(off.iter().map(|(name, _)| format!("index {name}")));
        let kept: Vec<_> = kept.iter().map(|(_, sql)| self.index_in_our_names(sql)).collect();
        (self.up(&items.join(",\n"), if is_strict { " STRICT" } else { "" }, &kept), self.down())
    }

    /// Returns a definition of a sealed column that SQLite can drop.
    fn sealed_item(&self, name: &str) -> Option<&'static str> {
        let (ours, _) =
            self.subject.sealed().find(|(_, theirs)| theirs.eq_ignore_ascii_case(name))?;
        Some(match ours {
            "access_key" => "access_key text CHECK (typeof(access_key) IN ('text', 'null'))",
            _ => "secret_key text NOT NULL CHECK (typeof(secret_key) = 'text')",
        })
    }

    fn in_our_names(&self, text: &str) -> String {
        let names: Vec<_> = self.subject.renamed().map(|(ours, theirs)| (theirs, ours)).collect();
        renamed(text, &names)
    }

    /// The index keeps its own name; its table gets another.
    fn index_in_our_names(&self, sql: &str) -> String {
        let (head, list) = sql.split_at(sql.find('(').unwrap_or(sql.len()));
        let head = renamed(head, &[(&self.subject.table, "credential")]);
        format!("{head}{}", self.in_our_names(list))
    }

    /// The table is renamed first, so that foreign keys of other tables follow it.
    fn up(&self, items: &str, tail: &str, indexes: &[String]) -> String {
        let mut sql = self.rename(true);
        let (columns, order) = (self.columns(true), self.order());
        let _ = write!(
            sql,
            "CREATE TABLE strongroom_rebuild (\n{items}\n){tail};\nINSERT INTO strongroom_rebuild ({columns}) SELECT {columns} FROM credential \
             ORDER BY {order};\nDROP TABLE credential;\nPRAGMA legacy_alter_table = ON;\nALTER TABLE strongroom_rebuild RENAME TO credential;\n\
             PRAGMA legacy_alter_table = OFF;\nCREATE UNIQUE INDEX credential_access_key ON credential (access_key);\n",
        );
        sql.extend(indexes.iter().map(|index| format!("{index};\n")));
        sql
    }

    fn down(&self) -> String {
        let mut sql = self.rename(false);
        let (own, columns) = (ENGINE.quoted(&self.subject.table), self.columns(false));
        let _ = write!(
            sql,
            "PRAGMA legacy_alter_table = ON;\nALTER TABLE {own} RENAME TO strongroom_rebuild;\nPRAGMA legacy_alter_table = OFF;\n\
             {};\nINSERT INTO {own} ({columns}) SELECT {columns} FROM strongroom_rebuild ORDER BY rowid;\nDROP TABLE strongroom_rebuild;\n",
            self.made,
        );
        sql.extend(self.indexes.iter().map(|(_, index)| format!("{index};\n")));
        sql
    }

    /// The table and its columns in the names of one side.
    fn rename(&self, to_ours: bool) -> String {
        let own = ENGINE.quoted(&self.subject.table);
        let columns = self
            .subject
            .renamed()
            .map(|(ours, theirs)| if to_ours { (theirs, ours) } else { (ours, theirs) });
        let columns = columns.map(|(from, to)| {
            format!(
                "ALTER TABLE credential RENAME COLUMN {} TO {};\n",
                ENGINE.quoted(from),
                ENGINE.quoted(to)
            )
        });
        let columns: String = columns.collect();
        let (from, to) =
            if to_ours { (own.as_str(), "credential") } else { ("credential", own.as_str()) };
        let table = if own == "\"credential\"" {
            String::new()
        } else {
            format!("ALTER TABLE {from} RENAME TO {to};\n")
        };
        if to_ours { table + &columns } else { columns + &table }
    }

    /// The table's physical order, if it has one of its own.
    fn order(&self) -> &'static str {
        if has_word(&self.text.tail, &["WITHOUT"]) { "id" } else { "rowid" }
    }

    /// Every column that the table had, in the names of one side.
    fn columns(&self, ours: bool) -> String {
        let columns = self.text.items.iter().filter_map(|item| column_of(item)).map(|name| {
            let known =
                self.subject.matched.iter().find(|(_, theirs)| theirs.eq_ignore_ascii_case(&name));
            ENGINE.quoted(known.filter(|_| ours).map_or(&name, |(it, _)| *it))
        });
        columns.collect::<Vec<_>>().join(", ")
    }
}

/// Triggers and views that mention a table.
async fn speaking(db: &impl ConnectionTrait, table: &str) -> Result<Vec<String>, DbErr> {
    let mut found = Vec::new();
    for row in query(db, SPEAKING, &[table]).await? {
        if row.try_get::<i64>("", "own")? != 0 || mentions(&required(&row, "sql")?, table) {
            found.push(format!("{} `{}`", required(&row, "kind")?, required(&row, "name")?));
        }
    }
    Ok(found)
}

/// Triggers of others that an UPDATE of the table runs.
pub(super) async fn update_triggers(
    db: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<String>, DbErr> {
    let mut found = Vec::new();
    for row in query(db, SPEAKING, &[table]).await? {
        let is_trigger =
            required(&row, "kind")? == "trigger" && row.try_get::<i64>("", "own")? != 0;
        if is_trigger && event_of(&required(&row, "sql")?).eq_ignore_ascii_case("UPDATE") {
            found.push(format!("trigger `{}` of table `{table}`", required(&row, "name")?));
        }
    }
    Ok(found)
}

/// INSERT, UPDATE or DELETE: the first of them after a trigger's name.
fn event_of(sql: &str) -> String {
    let after = tokens(sql).skip_while(|token| !token.text.eq_ignore_ascii_case("TRIGGER")).skip(2);
    let is_event = |word: &str| {
        ["INSERT", "UPDATE", "DELETE"].iter().any(|event| word.eq_ignore_ascii_case(event))
    };
    after.map(|token| token.text.to_owned()).find(|word| is_event(word)).unwrap_or_default()
}

pub(super) async fn dependents(
    db: &impl ConnectionTrait,
    table: &str,
) -> Result<Vec<String>, DbErr> {
    let referring = texts(db, REFERRING, &[table]).await?;
    let keys = referring.iter().filter(|by| !by.eq_ignore_ascii_case(table));
    let keys = keys.map(|by| format!("a foreign key of table `{by}` refers to table `{table}`"));
    let mut found: Vec<_> = keys.collect();
    for row in query(db, SPEAKING, &[table]).await? {
        let own = row.try_get::<i64>("", "own")? != 0;
        if !own && mentions(&required(&row, "sql")?, table) {
            found.push(format!(
                "{} `{}` mentions table `{table}`",
                required(&row, "kind")?,
                required(&row, "name")?
            ));
        }
    }
    Ok(found)
}

/// SQLite drops no column that an index, a trigger, a view or another constraint mentions.
pub(super) async fn column_dependents(
    db: &impl ConnectionTrait,
    table: &str,
    column: &str,
) -> Result<Vec<String>, DbErr> {
    let mut found = Vec::new();
    let mut add = |kind: &str, name: &str| {
        found.push(format!("{kind} `{name}` mentions column `{column}` of table `{table}`"));
    };
    for row in query(db, SPEAKING, &[table]).await? {
        let sql = required(&row, "sql")?;
        if mentions(&sql, column) && (row.try_get::<i64>("", "own")? != 0 || mentions(&sql, table))
        {
            add(&required(&row, "kind")?, &required(&row, "name")?);
        }
    }
    for row in query(db, INDEXES, &[table]).await? {
        let name = required(&row, "name")?;
        if !is_ours(&name) && mentions(&required(&row, "sql")?, column) {
            add("index", &name);
        }
    }
    Ok(found)
}

fn is_ours(index: &str) -> bool {
    index.starts_with("credential_access_key") || SEALED.contains(&index)
}
