//! What tables have, asked without a right on them where the engine allows that.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use super::error::is_missing_table;
use super::statement;

/// Whether a table has a column of this name, in the schema that unqualified names mean.
pub async fn has_column(
    db: &impl ConnectionTrait,
    table: &str,
    column: &str,
) -> Result<bool, DbErr> {
    let engine = db.get_database_backend();
    let sql = match engine {
        DbBackend::Postgres => {
            "SELECT 1 AS there FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attname = $2 AND NOT attisdropped"
        }
        DbBackend::MySql => {
            "SELECT 1 AS there FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = $1 AND column_name = $2"
        }
        _ => "SELECT 1 AS there FROM pragma_table_info($1) WHERE name = $2",
    };
    Ok(db.query_one_raw(statement(engine, sql, [table.into(), column.into()])).await?.is_some())
}

/// Whether a table of this name is there, in the schema that unqualified names mean. Writes nothing.
/// Works for a login without any right on the table; on MySQL and MariaDB, which hide such tables, it is
/// an error there rather than a wrong answer.
pub async fn has_table(db: &impl ConnectionTrait, table: &str) -> Result<bool, DbErr> {
    let engine = db.get_database_backend();
    let sql = match engine {
        DbBackend::Postgres => "SELECT 1 AS there WHERE to_regclass(quote_ident($1)) IS NOT NULL",
        DbBackend::MySql => return has_mysql_table(db, table).await,
        _ => "SELECT 1 AS there FROM sqlite_master WHERE type IN ('table', 'view') AND name = $1",
    };
    Ok(db.query_one_raw(statement(engine, sql, [table.into()])).await?.is_some())
}

async fn has_mysql_table(db: &impl ConnectionTrait, table: &str) -> Result<bool, DbErr> {
    let probe = format!("SELECT 1 AS there FROM `{table}` LIMIT 0");
    match db.query_one_raw(statement(DbBackend::MySql, &probe, [])).await {
        Ok(_) => Ok(true),
        Err(error) if is_missing_table(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
