//! Being a component: by its own login on a server, by its confined connections on SQLite.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbErr, RuntimeErr, TransactionTrait};
use strongroom::component::{ComponentHandle, Components};
use strongroom::credential::Store;
use strongroom::db::Address;
use strongroom::key::{FileSource, KeySource, Roots};
use strongroom::policy::GrantError;

use super::{Engine, Room, block_on};

/// What the database makes of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Run, or refused for a reason that has nothing to do with rights.
    Allowed,
    /// Refused for want of a right.
    Refused,
}

impl Room {
    /// The components, by the login of the service's own.
    pub fn components(&self) -> Result<Arc<Components>, GrantError> {
        if self.engine == Engine::Sqlite {
            return self.components_at(self.url());
        }
        self.components_at(&self.address_of("strongroom"))
    }

    pub fn components_at(&self, url: &str) -> Result<Arc<Components>, GrantError> {
        block_on(async {
            let root = FileSource::new(self.key_file()).root().await.unwrap();
            Components::open(Address::parse(url).unwrap(), Arc::new(Roots::from(root)), None).await
        })
    }

    pub fn component(&self, name: &str) -> Arc<ComponentHandle> {
        let components = self.components().unwrap();
        let component = block_on(components.component(name)).unwrap();
        // The watch over logins is not wanted here.
        drop(components);
        component
    }

    pub fn store_of(&self, name: &str) -> Store {
        let component = self.component(name);
        Store::of_component(component.database().clone(), component.keys())
    }

    /// The address by a component's own login, as any program would use it.
    pub fn address_of(&self, name: &str) -> String {
        let login = self.json(&["policy", "login", name, "--reveal"]);
        let (user, password) =
            (login["user"].as_str().unwrap(), login["password"].as_str().unwrap());
        let (scheme, rest) = self.url().split_once("://").unwrap();
        let (server, database) = rest.rsplit_once('@').unwrap().1.split_once('/').unwrap();
        format!(
            "{scheme}://{user}:{password}@{server}/{}",
            login["database"].as_str().unwrap_or(database)
        )
    }

    /// Grants by hand, past the program.
    pub fn give(&self, account: &str, what: &str, table: &str) {
        self.execute(&match self.engine {
            Engine::MySql if account != "PUBLIC" => {
                format!("GRANT {what} ON {table} TO '{account}'@'%'")
            }
            Engine::MariaDb if account.ends_with("_a") || account.ends_with("_b") => {
                format!("GRANT {what} ON {table} TO '{account}'@'%'")
            }
            _ => format!("GRANT {what} ON {table} TO {account}"),
        });
    }

    /// A connection as a component.
    pub fn log_in_as(&self, name: &str) -> DatabaseConnection {
        if self.engine == Engine::Sqlite {
            return self.component(name).database().clone();
        }
        let mut options = sea_orm::ConnectOptions::new(self.address_of(name));
        options.max_connections(1).sqlx_logging(false);
        block_on(Database::connect(options)).unwrap()
    }
}

/// Tries a statement, and takes back what it did.
pub fn tried(db: &DatabaseConnection, sql: &str) -> Verdict {
    let done = block_on(async {
        let transaction = db.begin().await?;
        let done = transaction.execute_unprepared(sql).await;
        transaction.rollback().await?;
        done
    });
    match done {
        Err(error) if is_refusal(&error) => Verdict::Refused,
        _ => Verdict::Allowed,
    }
}

/// PostgreSQL: insufficient privilege. MySQL and MariaDB: denied on a table or column, or one that is not to be
/// seen, as behind MariaDB's views. SQLite: not authorized; interrupted, where a statement's columns cannot be told; a guard.
pub fn is_refusal(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    let Some(error) = error.as_database_error() else { return false };
    let code = error.code().unwrap_or_default();
    let number = error
        .try_downcast_ref::<sea_orm::sqlx::mysql::MySqlDatabaseError>()
        .map(sea_orm::sqlx::mysql::MySqlDatabaseError::number);
    matches!(number, Some(1142 | 1143 | 1044 | 1054 | 1146 | 1227 | 1345 | 1370))
        || number.is_none() && matches!(code.as_ref(), "42501" | "23" | "9")
        || code == "1811" && error.message().contains("no right to")
        || error.message().contains("not authorized")
}
