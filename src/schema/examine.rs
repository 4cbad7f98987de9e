//! Looking at a table that may be adopted. Reads only.

mod form;
mod row;
mod unfit;

use std::collections::BTreeMap;

use sea_orm::ConnectionTrait;
use strongroom_migration::{Adoption, Engine};

use crate::db::has_table;

use form::{Found, collation, columns, primary_key, unique};
use row::{count, refuse_rows};
pub use unfit::Unfit;

/// Which table, and which of its columns is which.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its name.
    pub table: String,
    /// Ours to theirs, where the names differ.
    pub columns: BTreeMap<String, String>,
}

/// A table that can be adopted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub(crate) struct Examined {
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
pub(crate) async fn examine(db: &impl ConnectionTrait, engine: Engine, wish: &Wish) -> Result<Examined, Unfit> {
    let names = wish.columns.values().chain([&wish.table]);
    if let Some(name) = names.into_iter().find(|name| !Adoption::is_plain_name(name)) {
        return Err(Unfit::Name(name.clone()));
    }
    if !has_table(db, &wish.table).await? {
        return Err(Unfit::NoTable(wish.table.clone()));
    }
    if wish.table != "credential" && has_table(db, "credential").await? {
        return Err(Unfit::NameTaken);
    }
    let found = columns(db, engine, &wish.table).await?;
    let (matched, added) = match_columns(engine, wish, &found)?;
    for (ours, column) in &matched {
        require_type(ours, column, engine)?;
    }
    let key: Vec<_> = found.iter().filter(|column| column.in_key).map(|column| column.name.as_str()).collect();
    let id = theirs(wish, "id");
    if key != [id] {
        return Err(Unfit::PrimaryKey(id.to_owned()));
    }
    let adoption = Adoption {
        table: wish.table.clone(),
        renamed: matched
            .iter()
            .filter(|(ours, it)| *ours != it.name)
            .map(|(ours, it)| ((*ours).to_owned(), it.name.clone()))
            .collect(),
        added,
        primary_key: primary_key(db, engine, &wish.table).await?,
        unique: unique(db, engine, &wish.table, theirs(wish, "access_key")).await?,
        collation: collation(db, engine, &wish.table, &matched).await?,
    };
    refuse_rows(db, engine, wish, &matched).await?;
    let columns = matched.iter().map(|(ours, it)| ((*ours).to_owned(), it.name.clone(), it.r#type.clone())).collect();
    let rows = count(db, engine, &wish.table, "1 = 1").await?;
    Ok(Examined { adoption, columns, rows })
}

fn theirs<'a>(wish: &'a Wish, ours: &'a str) -> &'a str {
    wish.columns.get(ours).map_or(ours, String::as_str)
}

type Matched<'a> = Vec<(&'static str, &'a Found)>;

fn match_columns<'a>(engine: Engine, wish: &Wish, found: &'a [Found]) -> Result<(Matched<'a>, Vec<String>), Unfit> {
    let (mut matched, mut added) = (Vec::new(), Vec::new());
    for (ours, required, _) in COLUMNS {
        let theirs = theirs(wish, ours);
        match found.iter().find(|column| column.name == theirs) {
            Some(column) => matched.push((ours, column)),
            // SQLite could not drop it again once step 6 has made the table anew with a unique one.
            None if required || wish.columns.contains_key(ours) || (ours == "access_key" && engine == Engine::Sqlite) => {
                return Err(Unfit::NoColumn { table: wish.table.clone(), column: theirs.to_owned() });
            }
            None => added.push(ours.to_owned()),
        }
    }
    let unknown: Vec<_> = found.iter().filter(|column| !matched.iter().any(|(_, it)| it.name == column.name)).collect();
    if unknown.is_empty() {
        return Ok((matched, added));
    }
    let columns = unknown.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    Err(Unfit::UnknownColumns { table: wish.table.clone(), columns })
}

fn require_type(ours: &str, column: &Found, engine: Engine) -> Result<(), Unfit> {
    let found = column.r#type.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| found.contains(word));
    let (fits, wanted) = match (ours, engine) {
        ("created_at", Engine::Postgres) => (found == "timestamp with time zone", "timestamp with time zone"),
        ("created_at", _) => (is(&["datetime", "timestamp"]), "datetime or timestamp"),
        _ => (is(&["char", "text"]), "text"),
    };
    if fits { Ok(()) } else { Err(Unfit::Type { column: column.name.clone(), found: column.r#type.clone(), wanted }) }
}
