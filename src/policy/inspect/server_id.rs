//! The identity of a server.

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_migration::Engine;

use crate::db::statement;

/// Identifies a server across its restarts. SQLite has no server; its file's path is the database's name.
pub async fn server_id(db: &impl ConnectionTrait, engine: Engine) -> Result<String, DbErr> {
    let sql = match engine {
        Engine::Sqlite => return Ok("sqlite".to_owned()),
        Engine::Postgres => "SELECT system_identifier::text AS id FROM pg_control_system()",
        Engine::MySql => "SELECT CAST(@@server_uuid AS CHAR) AS id",
        Engine::MariaDb => {
            "SELECT CAST(concat(@@hostname, ':', @@port, ':', @@datadir) AS CHAR) AS id"
        }
    };
    let row = db.query_one_raw(statement(db.get_database_backend(), sql, [])).await?;
    row.map_or(Ok(String::new()), |row| row.try_get("", "id"))
}
