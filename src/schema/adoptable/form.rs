//! The form of a table, as the database describes it.

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use strongroom_migration::Engine;

use crate::db::statement;

/// A column as it was found.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) r#type: String,
    /// PostgreSQL: whether it is of an enumerated type.
    pub(super) is_enum: bool,
    /// Whether a row cannot be written without it.
    pub(super) must_be_given: bool,
    /// Its part in the primary key.
    pub(super) in_key: bool,
}

pub(super) async fn columns(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
) -> Result<Vec<Found>, DbErr> {
    let sql = match engine {
        Engine::Sqlite => {
            "SELECT name, type, FALSE AS is_enum, \"notnull\" AND dflt_value IS NULL AS must_be_given, pk > 0 AS in_key \
             FROM pragma_table_info($1) ORDER BY cid"
        }
        Engine::Postgres => {
            "SELECT a.attname::text AS name, format_type(a.atttypid, NULL)::text AS type, t.typtype = 'e' AS is_enum, \
             a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS must_be_given, \
             coalesce(a.attnum = ANY (i.indkey), FALSE) AS in_key FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        }
        Engine::MySql | Engine::MariaDb => {
            "SELECT column_name AS name, data_type AS type, FALSE AS is_enum, \
             is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%' AS must_be_given, \
             column_key = 'PRI' AS in_key FROM information_schema.columns \
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
        row.try_get::<Option<String>>("", name).or_else(|_| {
            bytes.map(|bytes| bytes.map(|it| String::from_utf8_lossy(&it).into_owned()))
        })
    };
    let is = |name: &str| {
        row.try_get::<bool>("", name).or_else(|_| row.try_get::<i64>("", name).map(|it| it != 0))
    };
    Ok(Found {
        name: text("name")?.unwrap_or_default(),
        r#type: text("type")?.unwrap_or_default(),
        is_enum: is("is_enum")?,
        must_be_given: is("must_be_given")?,
        in_key: is("in_key")?,
    })
}

/// The name of the primary key's constraint, where step 7 would not know it.
pub(super) async fn primary_key(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
) -> Result<Option<String>, DbErr> {
    if engine != Engine::Postgres {
        return Ok(None);
    }
    let sql = "SELECT conname::text AS name FROM pg_constraint WHERE conrelid = to_regclass(quote_ident($1)) AND contype = 'p'";
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, [table.into()])).await?;
    let name: Option<String> = row.map(|row| row.try_get("", "name")).transpose()?;
    Ok(name.filter(|name| name != "credential_pkey"))
}
