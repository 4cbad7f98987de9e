//! Opening a pool. The only place that connects to a database, with the drivers in [`engine`](super::engine).

use std::path::PathBuf;

use sea_orm::{DatabaseConnection, DbErr};

use super::engine::driver;
use super::{Access, Address, Way};

/// Opens a pool. Statements are never logged.
pub async fn connect(address: &Address, access: Access) -> Result<DatabaseConnection, DbErr> {
    driver(address)?.connect(address, access).await
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

impl Address {
    /// The same database for every login: the engine, the hosts and the name, or a file's absolute path. Without parameters.
    pub fn without_login(&self) -> String {
        if let Some(file) = sqlite_file(self) {
            let absolute =
                file.canonicalize().or_else(|_| std::path::absolute(&file)).unwrap_or(file);
            return format!("sqlite://{}", absolute.display());
        }
        self.place().unwrap_or_else(|_| self.to_string())
    }
}
