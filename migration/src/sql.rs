//! SQL per engine, from the files of `sql/`.

use std::borrow::Cow;

use sea_orm_migration::sea_orm::ConnectionTrait;
use sea_orm_migration::{DbErr, SchemaManager};

use crate::journal;
use crate::{Engine, RunLock};

macro_rules! sql {
    ($file:literal) => {
        $crate::sql::Sql {
            postgres: include_str!(concat!("../sql/postgres/", $file)),
            sqlite: include_str!(concat!("../sql/sqlite/", $file)),
            mysql: include_str!(concat!("../sql/mysql/", $file)),
        }
    };
}
pub(crate) use sql;

/// One piece of SQL, as each engine has it; empty where an engine needs none.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    /// For PostgreSQL.
    pub postgres: &'static str,
    /// For SQLite.
    pub sqlite: &'static str,
    /// For MySQL, and for MariaDB but for the collation. Each statement stands in a paragraph of its own.
    pub mysql: &'static str,
}

/// The runner's own tables. Safe to run again.
pub const RUNNER: Sql = sql!("runner.sql");

/// The collations that compare bytes and pad nothing.
const ON_MYSQL: &str = "utf8mb4_0900_bin";
const ON_MARIADB: &str = "utf8mb4_nopad_bin";

impl Sql {
    /// The text for an engine.
    pub fn of(&self, engine: Engine) -> Cow<'static, str> {
        match engine {
            Engine::Postgres => Cow::Borrowed(self.postgres),
            Engine::Sqlite => Cow::Borrowed(self.sqlite),
            Engine::MySql => Cow::Borrowed(self.mysql),
            Engine::MariaDb => Cow::Owned(self.mysql.replace(ON_MYSQL, ON_MARIADB)),
        }
    }

    /// Runs the text, or what is left of it.
    pub async fn run(&self, manager: &SchemaManager<'_>, lock: &dyn RunLock) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let engine = Engine::of(db).await?;
        let text = self.of(engine);
        journal::run(db, engine, &text, lock).await
    }
}

/// An upgrade must not queue behind a long query with everybody else queued behind it: it gives up
/// and the runner tries again. On MySQL and MariaDB the connection is opened with the same bound.
pub(crate) async fn bound_lock_waits(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    if db.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres {
        db.execute_unprepared("SET LOCAL lock_timeout = '3s'").await?;
    }
    Ok(())
}
