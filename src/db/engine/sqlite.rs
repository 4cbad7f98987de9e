//! Opening SQLite's files.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::sqlx::{self, ConnectOptions as _};
use sea_orm::{DatabaseConnection, DbErr, SqlxSqliteConnector};

use super::{ACQUIRE_TIMEOUT, CONNECTIONS, Driver};
use crate::db::cause::conn;
use crate::db::{Access, Address, UnfitDatabase, Way};

/// How long a writer waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Sqlite;

#[async_trait]
impl Driver for Sqlite {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    async fn connect(
        &self,
        address: &Address,
        access: Access,
    ) -> Result<DatabaseConnection, DbErr> {
        let options = options(address, access).map_err(conn)?;
        if access != Access::Read {
            make_private_if_allowed(address).map_err(conn)?;
        }
        let pool =
            SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.connect_with(options).await.map_err(conn)?;
        require_utf8(&pool).await.map_err(conn)?;
        Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
    }

    async fn create_if_missing(&self, address: &Address) -> Result<bool, DbErr> {
        let made = match file_of(address).map_err(conn)? {
            Some(file) => make_private(&file).map_err(|error| conn(error.into()))?,
            None => false,
        };
        self.connect(address, Access::Write).await?.close().await?;
        Ok(made)
    }

    fn way(&self, _address: &Address) -> Result<Option<Way>, DbErr> {
        Ok(None)
    }

    fn file(&self, address: &Address) -> Option<PathBuf> {
        file_of(address).ok().flatten()
    }
}

/// The file says how it stores text, once and for all.
async fn require_utf8(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let encoding: String = sqlx::query_scalar("PRAGMA encoding").fetch_one(pool).await?;
    match encoding.as_str() {
        "UTF-8" => Ok(()),
        _ => Err(sqlx::Error::Configuration(UnfitDatabase::Encoding(encoding).into())),
    }
}

/// How a pool of a component's connects.
pub(crate) fn component_options(address: &Address) -> Result<SqliteConnectOptions, DbErr> {
    options(address, Access::Write).map_err(conn)
}

/// Deleted bytes are overwritten (`secure_delete`), and a commit is on disk when it returns.
fn options(address: &Address, access: Access) -> Result<SqliteConnectOptions, sqlx::Error> {
    if access == Access::Read && file_of(address)?.is_some_and(|file| !file.exists()) {
        return Ok(SqliteConnectOptions::from_str("sqlite::memory:")?.disable_statement_logging());
    }
    let options = SqliteConnectOptions::from_str(address.expose())?
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(access != Access::Schema)
        .disable_statement_logging();
    if access == Access::Read {
        return Ok(options.read_only(true).create_if_missing(false));
    }
    let options = options.pragma("secure_delete", "ON");
    if access == Access::Guest {
        return Ok(options);
    }
    Ok(options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full))
}

/// The file of a SQLite address; none for memory.
fn file_of(address: &Address) -> Result<Option<PathBuf>, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(address.expose())?;
    let file = options.get_filename();
    let in_memory = file.as_os_str().is_empty()
        || file.to_string_lossy().contains(":memory:")
        || file.to_string_lossy().starts_with("file:sqlx-in-memory");
    Ok((!in_memory).then(|| file.to_owned()))
}

/// `mode=rwc` in the address allows making the file; then it is made for its owner alone.
fn make_private_if_allowed(address: &Address) -> Result<(), sqlx::Error> {
    match file_of(address)? {
        Some(file) if address.expose().contains("mode=rwc") => {
            make_private(&file).map(drop).map_err(sqlx::Error::Io)
        }
        _ => Ok(()),
    }
}

/// Before sealing, the file holds secrets in the clear: nobody else may read it.
fn make_private(file: &Path) -> io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
