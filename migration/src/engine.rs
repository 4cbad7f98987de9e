//! Which engine a connection speaks to. sea-orm knows MySQL and MariaDB as one.

use std::fmt;

use sea_orm_migration::DbErr;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};

/// A database engine, as far as SQL differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
}

impl Engine {
    /// The engine at the other end. MySQL and MariaDB are told apart by what they say of their version.
    pub async fn of(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        match db.get_database_backend() {
            DbBackend::Sqlite => Ok(Self::Sqlite),
            DbBackend::Postgres => Ok(Self::Postgres),
            DbBackend::MySql => {
                let row = db
                    .query_one_raw(Statement::from_string(
                        DbBackend::MySql,
                        "SELECT version() AS version",
                    ))
                    .await?;
                let version: String =
                    row.map_or(Ok(String::new()), |row| row.try_get("", "version"))?;
                Ok(if version.contains("MariaDB") { Self::MariaDb } else { Self::MySql })
            }
            other => Err(DbErr::BackendNotSupported { db: other.as_str(), ctx: "schema steps" }),
        }
    }

    /// An identifier, in the engine's quotes.
    pub fn quoted(self, identifier: &str) -> String {
        let quote = if self.is_mysql_like() { '`' } else { '"' };
        let doubled = String::from_iter([quote, quote]);
        format!("{quote}{}{quote}", identifier.replace(quote, &doubled))
    }

    /// Whether it is MySQL or MariaDB.
    pub fn is_mysql_like(self) -> bool {
        matches!(self, Self::MySql | Self::MariaDb)
    }

    /// Whether it keeps accounts: a file has none.
    pub fn has_logins(self) -> bool {
        self != Self::Sqlite
    }

    /// Whether schema changes roll back. Where they do not, each statement commits by itself, and after a
    /// crash the database is looked at to see which were done.
    pub fn has_transactional_ddl(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        })
    }
}
