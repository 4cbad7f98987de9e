//! The form of a table, as the database describes it.

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_migration::{Engine, binary_collation};

use super::{Matched, Unfit};
use crate::db::statement;

/// A column as it was found.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) r#type: String,
    character_set: Option<String>,
    collation: Option<String>,
    /// Its part in the primary key.
    pub(super) in_key: bool,
}

pub(super) async fn columns(db: &impl ConnectionTrait, engine: Engine, table: &str) -> Result<Vec<Found>, DbErr> {
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
pub(super) async fn primary_key(db: &impl ConnectionTrait, engine: Engine, table: &str) -> Result<Option<String>, DbErr> {
    if engine != Engine::Postgres {
        return Ok(None);
    }
    let sql = "SELECT conname::text AS name FROM pg_constraint WHERE conrelid = to_regclass(quote_ident($1)) AND contype = 'p'";
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, [table.into()])).await?;
    let name: Option<String> = row.map(|row| row.try_get("", "name")).transpose()?;
    Ok(name.filter(|name| name != "credential_pkey"))
}

/// The unique index on the access key alone.
pub(super) async fn unique(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
    column: &str,
) -> Result<Option<String>, DbErr> {
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
pub(super) async fn collation(
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
