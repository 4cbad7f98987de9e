//! Looking at a table that may be adopted. Reads only.

mod form;
mod row;
mod unfit;

use std::collections::BTreeMap;

use sea_orm::ConnectionTrait;
use strongroom_migration::{Adoption, Engine};

use crate::db::has_table;

use super::inspect::{Subject, inspect};
use form::{Found, columns, primary_key};
use row::{count, unfit_rows};
pub use unfit::Unfit;

/// Which table, and which of its columns is which.
#[derive(Debug, Clone)]
pub struct AdoptionOptions {
    /// Its name.
    pub table: String,
    /// Ours to theirs, where the names differ.
    pub columns: BTreeMap<String, String>,
}

/// A table that can be adopted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Adoptable {
    /// What would be changed about it.
    pub adoption: Adoption,
    /// Its columns: ours, theirs, and the type.
    pub columns: Vec<(String, String, String)>,
    /// Its rows.
    pub rows: u64,
}

/// A column of a credential at version 1: its name, whether a table must have it, and whether it may be NULL.
const COLUMNS: [(&str, bool, bool); 8] = [
    ("id", true, false),
    ("user_id", true, false),
    ("project_id", false, true),
    ("type", false, false),
    ("access_key", false, true),
    ("secret_key", true, false),
    ("extra", false, true),
    ("created_at", false, false),
];

/// Looks at the table's form and at its rows.
pub async fn inspect_adoptable(
    db: &impl ConnectionTrait,
    engine: Engine,
    options: &AdoptionOptions,
) -> Result<Adoptable, Unfit> {
    let names = options.columns.values().chain([&options.table]);
    if let Some(name) = names.into_iter().find(|name| !Adoption::is_plain_name(name)) {
        return Err(Unfit::Name(name.clone()));
    }
    if !has_table(db, &options.table).await? {
        return Err(Unfit::NoTable(options.table.clone()));
    }
    if options.table != "credential" && has_table(db, "credential").await? {
        return Err(Unfit::NameTaken);
    }
    let found = columns(db, engine, &options.table).await?;
    let mut obstacles = Vec::new();
    let (matched, added) = match_columns(engine, options, &found, &mut obstacles)?;
    obstacles.extend(matched.iter().filter_map(|(ours, column)| wrong_type(ours, column, engine)));
    let key: Vec<_> =
        found.iter().filter(|column| column.in_key).map(|column| column.name.as_str()).collect();
    let id = theirs(options, "id");
    if key != [id] {
        obstacles.push(format!("the primary key, which must be column `{id}` alone"));
    }
    // What follows reads the table as if its columns were what they must be.
    Unfit::refuse(&options.table, &obstacles)?;
    let subject = Subject {
        table: options.table.clone(),
        matched: matched.iter().map(|(ours, column)| (*ours, column.name.clone())).collect(),
        added: added.clone(),
    };
    let form = inspect(db, engine, &subject).await?;
    obstacles.extend(form.obstacles);
    obstacles.extend(unfit_rows(db, engine, options, &matched).await?);
    Unfit::refuse(&options.table, &obstacles)?;
    let renamed = subject.matched.iter().filter(|(ours, theirs)| ours != theirs);
    let adoption = Adoption {
        table: options.table.clone(),
        renamed: renamed.map(|(ours, theirs)| ((*ours).to_owned(), theirs.clone())).collect(),
        added,
        primary_key: primary_key(db, engine, &options.table).await?,
        carried: form.carried,
        detach: form.detach,
        attach: form.attach,
        rebuild: form.rebuild,
        limits: form.limits,
        casts: form.casts,
    };
    let columns = matched
        .iter()
        .map(|(ours, it)| ((*ours).to_owned(), it.name.clone(), it.r#type.clone()))
        .collect();
    let rows = count(db, engine, &options.table, "1 = 1").await?;
    Ok(Adoptable { adoption, columns, rows })
}

fn theirs<'a>(options: &'a AdoptionOptions, ours: &'a str) -> &'a str {
    options.columns.get(ours).map_or(ours, String::as_str)
}

type Matched<'a> = Vec<(&'static str, &'a Found)>;

/// Columns of the program's own stay, if rows can be written without them.
fn match_columns<'a>(
    engine: Engine,
    options: &AdoptionOptions,
    found: &'a [Found],
    obstacles: &mut Vec<String>,
) -> Result<(Matched<'a>, Vec<String>), Unfit> {
    let (mut matched, mut added) = (Vec::new(), Vec::new());
    for (ours, required, _) in COLUMNS {
        let theirs = theirs(options, ours);
        match found.iter().find(|column| column.name == theirs) {
            Some(column) => matched.push((ours, column)),
            None if required
                || options.columns.contains_key(ours)
                || (ours == "access_key" && engine == Engine::Sqlite) =>
            {
                return Err(Unfit::NoColumn {
                    table: options.table.clone(),
                    column: theirs.to_owned(),
                });
            }
            None => added.push(ours.to_owned()),
        }
    }
    let unknown =
        found.iter().filter(|column| !matched.iter().any(|(_, it)| it.name == column.name));
    for column in unknown {
        if column.must_be_given {
            obstacles.push(format!(
                "column `{}`, which a credential does not have: it is NOT NULL without a default, so that nothing could be stored",
                column.name
            ));
        }
        if TAKEN.contains(&column.name.as_str())
            || COLUMNS.iter().any(|(ours, _, _)| *ours == column.name)
        {
            obstacles
                .push(format!("column `{}`, whose name is that of a column of ours", column.name));
        }
    }
    Ok((matched, added))
}

/// Columns that later steps add.
const TAKEN: [&str; 3] = ["access_key_sealed", "secret_key_sealed", "access_key_index"];

fn wrong_type(ours: &str, column: &Found, engine: Engine) -> Option<String> {
    let found = column.r#type.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| found.contains(word));
    let is_one_of = |words: &[&str]| words.contains(&found.as_str());
    let (fits, wanted) = match (ours, engine) {
        ("created_at", Engine::Postgres) => (found.starts_with("timestamp"), "timestamp"),
        ("created_at", _) => (is(&["datetime", "timestamp"]), "datetime or timestamp"),
        ("extra", Engine::Postgres) if is_one_of(&["json", "jsonb"]) => (true, ""),
        ("extra", Engine::MySql | Engine::MariaDb) if found == "json" => (true, ""),
        ("type", Engine::Postgres) if column.is_enum => (true, ""),
        ("type", Engine::MySql | Engine::MariaDb) if found == "enum" => (true, ""),
        (_, Engine::Postgres) => (is_one_of(&["text", "character varying", "character"]), "text"),
        (_, Engine::MySql | Engine::MariaDb) => {
            (is_one_of(&["char", "varchar", "tinytext", "text", "mediumtext", "longtext"]), "text")
        }
        (_, Engine::Sqlite) => (is(&["char", "text", "clob"]), "text"),
    };
    (!fits).then(|| {
        format!("column `{}`, which is {} and must be {wanted}", column.name, column.r#type)
    })
}
