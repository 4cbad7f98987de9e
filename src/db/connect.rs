//! Opening a pool. The only place that connects to a database.

use std::fs::OpenOptions;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlSslMode};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{self, ConnectOptions, Connection as _};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxMySqlConnector, SqlxPostgresConnector,
    SqlxSqliteConnector,
};

use super::error::is_missing_database;
use super::tls::{Mode, Peer};
use super::{Address, mysql_session};

const CONNECTIONS: u32 = 8;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a writer of SQLite waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading only; the server refuses everything else. A missing SQLite file reads as empty.
    Read,
    /// Reading and writing rows.
    Write,
    /// Reading and writing rows in somebody else's database: no setting of it is changed.
    Guest,
    /// Changing the schema. SQLite's foreign keys are off, as making a table anew demands.
    Schema,
}

/// Opens a pool. Statements are never logged.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub async fn connect(address: &Address, access: Access) -> Result<DatabaseConnection, DbErr> {
    match address.engine() {
        DbBackend::Sqlite => {
            let options = sqlite(address, access).map_err(conn)?;
            if access != Access::Read {
                make_private_if_allowed(address).map_err(conn)?;
            }
            let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
            Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.connect_with(options).await.map_err(conn)?))
        }
        DbBackend::Postgres => {
            let options = postgres(address, access).map_err(conn)?;
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
            in_time(async { options.connect().await?.close().await }).await?;
            Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool.connect_lazy_with(options)))
        }
        _ => {
            let options = mysql(address).map_err(conn)?;
            let probe = async {
                let mut session = options.connect().await?;
                mysql_session::prepare(&mut session, access).await?;
                session.close().await
            };
            in_time(probe).await?;
            let pool = MySqlPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
            let pool = pool.after_connect(move |session, _| Box::pin(mysql_session::prepare(session, access)));
            Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(pool.connect_lazy_with(options)))
        }
    }
}

/// The way to a server, as its address and the demands on TLS set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Where the server is.
    pub peer: Peer,
    /// Whether nobody but the server itself can be at the other end.
    pub is_verified: bool,
}

/// The way to a server; none for SQLite. An error where [`connect`] would refuse.
pub fn way(address: &Address) -> Result<Option<Way>, DbErr> {
    Ok(match address.engine() {
        DbBackend::Sqlite => None,
        DbBackend::Postgres => {
            let options = postgres(address, Access::Read).map_err(conn)?;
            let is_verified = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
            Some(Way { peer: peer(options.get_socket().is_some(), options.get_host()), is_verified })
        }
        _ => {
            let options = mysql(address).map_err(conn)?;
            let is_verified = matches!(options.get_ssl_mode(), MySqlSslMode::VerifyIdentity);
            Some(Way { peer: peer(options.get_socket().is_some(), options.get_host()), is_verified })
        }
    })
}

/// The file of a SQLite address; none for memory, and for a server.
pub fn sqlite_file(address: &Address) -> Option<PathBuf> {
    if address.engine() == DbBackend::Sqlite { file_of(address).ok().flatten() } else { None }
}

/// A pool goes on trying for as long as it waits for a free connection; somebody who typed a wrong
/// address wants to know at once.
async fn in_time(probe: impl Future<Output = Result<(), sqlx::Error>>) -> Result<(), DbErr> {
    let answered = tokio::time::timeout(CONNECT_TIMEOUT, probe).await;
    answered.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(conn)
}

/// Makes the database if the server, or the file system, does not have it. True when it was made.
pub async fn create_if_missing(address: &Address) -> Result<bool, DbErr> {
    if address.engine() == DbBackend::Sqlite {
        let made = match file_of(address).map_err(conn)? {
            Some(file) => make_private(&file).map_err(|error| conn(error.into()))?,
            None => false,
        };
        connect(address, Access::Write).await?.close().await?;
        return Ok(made);
    }
    match connect(address, Access::Read).await {
        Ok(db) => db.close().await.map(|()| false),
        Err(error) if is_missing_database(&error) => create_on_server(address).await.map(|()| true),
        Err(error) => Err(error),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
async fn create_on_server(address: &Address) -> Result<(), DbErr> {
    if address.engine() == DbBackend::MySql {
        let options = mysql(address).map_err(conn)?;
        let name = options.get_database().unwrap_or_default().replace('`', "``");
        let pool = MySqlPoolOptions::new().max_connections(1).connect_with(options.database("information_schema")).await;
        let server = SqlxMySqlConnector::from_sqlx_mysql_pool(pool.map_err(conn)?);
        server.execute_unprepared(&format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4")).await?;
        return server.close().await;
    }
    let options = postgres(address, Access::Schema).map_err(conn)?;
    let name = options.get_database().unwrap_or_default().replace('"', "\"\"");
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options.database("postgres")).await.map_err(conn)?;
    let server = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    server.execute_unprepared(&format!("CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0")).await?;
    server.close().await
}

/// Deleted bytes are overwritten (`secure_delete`), and a commit is on disk when it returns.
pub(super) fn sqlite(address: &Address, access: Access) -> Result<SqliteConnectOptions, sqlx::Error> {
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

pub(super) fn postgres(address: &Address, access: Access) -> Result<PgConnectOptions, sqlx::Error> {
    let mut options = PgConnectOptions::from_str(address.expose())?.application_name("strongroom").disable_statement_logging();
    let host = options.get_host().to_owned();
    if let Some(mode) = mode(address, options.get_socket().is_some(), &host)? {
        options = options.ssl_mode(match mode {
            Mode::Off => PgSslMode::Disable,
            Mode::Opportunistic => PgSslMode::Prefer,
            Mode::Unverified => PgSslMode::Require,
            Mode::AnyHost => PgSslMode::VerifyCa,
            Mode::Verified => PgSslMode::VerifyFull,
        });
    }
    if let Some(pem) = address.tls().authorities() {
        options = options.ssl_root_cert_from_pem(pem);
    }
    if access == Access::Read {
        options = options.options([("default_transaction_read_only", "on")]);
    }
    Ok(options.host(without_brackets(&host)))
}

pub(super) fn mysql(address: &Address) -> Result<MySqlConnectOptions, sqlx::Error> {
    let mut options = MySqlConnectOptions::from_str(address.expose())?.disable_statement_logging();
    let host = options.get_host().to_owned();
    if let Some(mode) = mode(address, options.get_socket().is_some(), &host)? {
        options = options.ssl_mode(match mode {
            Mode::Off => MySqlSslMode::Disabled,
            Mode::Opportunistic => MySqlSslMode::Preferred,
            Mode::Unverified => MySqlSslMode::Required,
            Mode::AnyHost => MySqlSslMode::VerifyCa,
            Mode::Verified => MySqlSslMode::VerifyIdentity,
        });
    }
    if let Some(pem) = address.tls().authorities() {
        options = options.ssl_ca_from_pem(pem);
    }
    Ok(options.host(without_brackets(&host)))
}

/// Judged by the host that the driver will go to: parameters of the address can name another.
fn mode(address: &Address, socket: bool, host: &str) -> Result<Option<Mode>, sqlx::Error> {
    let mode = address.tls().mode(peer(socket, host), address.asked());
    mode.map_err(|refused| sqlx::Error::Configuration(refused.into()))
}

fn peer(socket: bool, host: &str) -> Peer {
    match socket || host.starts_with('/') {
        true => Peer::Socket,
        false if is_loopback(host) => Peer::Loopback,
        false => Peer::Remote,
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || without_brackets(host).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A URL's IPv6 address as certificates know it.
fn without_brackets(host: &str) -> &str {
    host.trim_matches(['[', ']'])
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
        Some(file) if address.expose().contains("mode=rwc") => make_private(&file).map(drop).map_err(sqlx::Error::Io),
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

pub(super) fn conn(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}
