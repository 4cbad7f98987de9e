//! What tables have, asked without a right on them where the engine allows that.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

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
