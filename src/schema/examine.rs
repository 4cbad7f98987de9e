//! Looking at a table that may be adopted. Reads only.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_migration::{Adoption, Engine, binary_collation};

use crate::db::{has_table, statement};

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
pub struct Examined {
    /// What would be changed about it.
    pub adoption: Adoption,
    /// Its columns: ours, theirs, and the type.
    pub columns: Vec<(String, String, String)>,
    /// Its rows.
    pub rows: u64,
}

/// Why a table cannot be adopted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// No such table.
    #[error("there is no table `{0}`")]
    NoTable(String),
    /// The name `credential` is taken by another table.
    #[error("table `credential` is there as well, and is the name that the adopted table gets")]
    NameTaken,
    /// A name that would need quoting.
    #[error("`{0}` is not a plain name: letters, digits and underscores, at most 63")]
    Name(String),
    /// A column that must be there.
    #[error("table `{table}` has no column `{column}`")]
    NoColumn {
        /// The table.
        table: String,
        /// Theirs.
        column: String,
    },
    /// Columns that would get lost on the way.
    #[error("table `{table}` has columns that a credential does not have: {columns}")]
    UnknownColumns {
        /// The table.
        table: String,
        /// Their names.
        columns: String,
    },
    /// A column that holds something else.
    #[error("column `{column}` is {found}, and must be {wanted}")]
    Type {
        /// Theirs.
        column: String,
        /// Its type.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// Not one column, or another one.
    #[error("the primary key must be column `{0}` alone")]
    PrimaryKey(String),
    /// Text columns that compare differently.
    #[error("the text columns have different collations: {0}")]
    Collations(String),
    /// SQLite: text that is compared without regard to case or blanks.
    #[error("a column has a collation of its own, and would miss changes of case or of blanks")]
    LooseCollation,
    /// Rows that a credential cannot be.
    #[error("{rows} rows {what}")]
    Rows {
        /// How many.
        rows: u64,
        /// What is wrong with them.
        what: String,
    },
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
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

/// A column as it was found.
struct Found {
    name: String,
    r#type: String,
    character_set: Option<String>,
    collation: Option<String>,
    /// Its part in the primary key.
    in_key: bool,
}

/// Looks at the table's form and at its rows.
pub async fn examine(db: &impl ConnectionTrait, engine: Engine, wish: &Wish) -> Result<Examined, Unfit> {
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

async fn columns(db: &impl ConnectionTrait, engine: Engine, table: &str) -> Result<Vec<Found>, DbErr> {
    let sql = match engine {
        Engine::Sqlite => {
            "SELECT name, type, NULL AS character_set, NULL AS collation_name, pk > 0 AS in_key FROM pragma_table_info($1) ORDER BY cid"
        }
        Engine::Postgres => {
            "SELECT a.attname::text AS name, format_type(a.atttypid, NULL)::text AS type, NULL::text AS character_set, \
             NULL::text AS collation_name, coalesce(a.attnum = ANY (i.indkey), FALSE) AS in_key FROM pg_attribute a \
             LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        }
        Engine::MySql | Engine::MariaDb => {
            "SELECT column_name AS name, data_type AS type, character_set_name AS character_set, \
             collation_name AS collation_name, column_key = 'PRI' AS in_key FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = $1 ORDER BY ordinal_position"
        }
    };
    let rows = db.query_all_raw(statement(db.get_database_backend(), sql, [table.into()])).await?;
    rows.iter().map(found).collect()
}

fn found(row: &QueryResult) -> Result<Found, DbErr> {
    // information_schema's texts come as bytes from some servers.
    let text = |name: &str| -> Result<Option<String>, DbErr> {
        let bytes = row.try_get::<Option<Vec<u8>>>("", name);
        row.try_get::<Option<String>>("", name)
            .or_else(|_| bytes.map(|bytes| bytes.map(|it| String::from_utf8_lossy(&it).into_owned())))
    };
    let in_key = row.try_get::<bool>("", "in_key").or_else(|_| row.try_get::<i64>("", "in_key").map(|key| key != 0))?;
    Ok(Found {
        name: text("name")?.unwrap_or_default(),
        r#type: text("type")?.unwrap_or_default(),
        character_set: text("character_set")?,
        collation: text("collation_name")?,
        in_key,
    })
}

/// The name of the primary key's constraint, where step 7 would not know it.
async fn primary_key(db: &impl ConnectionTrait, engine: Engine, table: &str) -> Result<Option<String>, DbErr> {
    if engine != Engine::Postgres {
        return Ok(None);
    }
    let sql = "SELECT conname::text AS name FROM pg_constraint WHERE conrelid = to_regclass(quote_ident($1)) AND contype = 'p'";
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, [table.into()])).await?;
    let name: Option<String> = row.map(|row| row.try_get("", "name")).transpose()?;
    Ok(name.filter(|name| name != "credential_pkey"))
}

/// The unique index on the access key alone.
async fn unique(db: &impl ConnectionTrait, engine: Engine, table: &str, column: &str) -> Result<Option<String>, DbErr> {
    let sql = match engine {
        // Step 6 makes the table anew, with one of its own.
        Engine::Sqlite => return Ok(None),
        Engine::Postgres => {
            "SELECT c.relname::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_attribute a \
             ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE i.indrelid = to_regclass(quote_ident($1)) \
             AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND a.attname = $2"
        }
        Engine::MySql | Engine::MariaDb => {
            "SELECT index_name AS name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = $1 \
             AND non_unique = 0 GROUP BY index_name HAVING count(*) = 1 AND min(column_name) = $2"
        }
    };
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, [table.into(), column.into()])).await?;
    row.map(|row| row.try_get("", "name")).transpose()
}

/// The character set and collation of the text columns, where changes of case or of blanks could be missed.
async fn collation(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
    matched: &Matched<'_>,
) -> Result<Option<(String, String)>, Unfit> {
    if engine == Engine::Sqlite {
        let sql = "SELECT upper(sql) AS sql FROM sqlite_master WHERE type = 'table' AND name = $1";
        let row = db.query_one_raw(statement(db.get_database_backend(), sql, [table.into()])).await?;
        let made: String = row.map_or(Ok(String::new()), |row| row.try_get("", "sql"))?;
        let loose = made.contains("NOCASE") || made.contains("RTRIM");
        return if loose { Err(Unfit::LooseCollation) } else { Ok(None) };
    }
    let mut kinds: Vec<(String, String)> =
        matched.iter().filter_map(|(_, column)| Some((column.character_set.clone()?, column.collation.clone()?))).collect();
    kinds.sort();
    kinds.dedup();
    match kinds.as_slice() {
        [] => Ok(None),
        [(_, collation)] if collation == binary_collation(engine) => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => Err(Unfit::Collations(several.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "))),
    }
}

/// Rows that step 3 or the store could not do with.
async fn refuse_rows(db: &impl ConnectionTrait, engine: Engine, wish: &Wish, matched: &Matched<'_>) -> Result<(), Unfit> {
    let quote =
        |name: &str| if matches!(engine, Engine::MySql | Engine::MariaDb) { format!("`{name}`") } else { format!("\"{name}\"") };
    for (ours, _, nullable) in COLUMNS {
        let Some((_, column)) = matched.iter().find(|(it, _)| *it == ours) else { continue };
        if !nullable {
            refuse(db, engine, wish, &format!("{} IS NULL", quote(&column.name)), format!("have no `{}`", column.name)).await?;
        }
    }
    let id = theirs(wish, "id");
    let length = if engine == Engine::Sqlite { "length" } else { "char_length" };
    refuse(db, engine, wish, &format!("{length}({}) > 64", quote(id)), format!("have an `{id}` of more than 64 characters"))
        .await?;
    let Some((_, access)) = matched.iter().find(|(ours, _)| *ours == "access_key") else { return Ok(()) };
    let (table, access_key) = (quote(&wish.table), quote(&access.name));
    let shared = format!("{access_key} IN (SELECT {access_key} FROM {table} GROUP BY {access_key} HAVING count(*) > 1)");
    refuse(db, engine, wish, &shared, format!("share their `{}` with another", access.name)).await
}

async fn refuse(db: &impl ConnectionTrait, engine: Engine, wish: &Wish, condition: &str, what: String) -> Result<(), Unfit> {
    match count(db, engine, &wish.table, condition).await? {
        0 => Ok(()),
        rows => Err(Unfit::Rows { rows, what }),
    }
}

async fn count(db: &impl ConnectionTrait, engine: Engine, table: &str, condition: &str) -> Result<u64, DbErr> {
    let table = if matches!(engine, Engine::MySql | Engine::MariaDb) { format!("`{table}`") } else { format!("\"{table}\"") };
    let sql = format!("SELECT count(*) AS found FROM {table} WHERE {condition}");
    let row = db.query_one_raw(statement(db.get_database_backend(), &sql, [])).await?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
    Ok(found.unsigned_abs())
}
