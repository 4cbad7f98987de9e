//! Opening a pool. The only place that connects to a database, with the drivers in [`engine`](super::engine).

use std::path::PathBuf;

use sea_orm::{DatabaseConnection, DbErr};

use super::engine::driver;
use super::{Address, Peer};

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
pub async fn connect(address: &Address, access: Access) -> Result<DatabaseConnection, DbErr> {
    driver(address)?.connect(address, access).await
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
    driver(address)?.way(address)
}

/// The file of a SQLite address; none for memory, and for a server.
pub fn sqlite_file(address: &Address) -> Option<PathBuf> {
    driver(address).ok()?.file(address)
}

/// Makes the database if the server, or the file system, does not have it. True when it was made.
pub async fn create_if_missing(address: &Address) -> Result<bool, DbErr> {
    driver(address)?.create_if_missing(address).await
}
