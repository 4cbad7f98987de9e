//! How a pool of somebody else's making connects: with the same demands as every other connection.

use sea_orm::sqlx::mysql::MySqlConnectOptions;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{DbBackend, DbErr};

use super::connect::{conn, mysql, postgres, sqlite};
use super::{Access, Address};

/// The options of one driver.
pub(crate) enum Options {
    Postgres(PgConnectOptions),
    MySql(MySqlConnectOptions),
    Sqlite(SqliteConnectOptions),
}

/// The options for an address; on PostgreSQL sessions are called `strongroom/NAME`.
pub(crate) fn options(address: &Address, name: &str) -> Result<Options, DbErr> {
    match address.engine() {
        DbBackend::Sqlite => sqlite(address, Access::Write).map(Options::Sqlite),
        DbBackend::Postgres => postgres(address, Access::Write)
            .map(|options| Options::Postgres(options.application_name(&format!("strongroom/{name}")))),
        _ => mysql(address).map(Options::MySql),
    }
    .map_err(conn)
}
