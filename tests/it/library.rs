//! What a program that links the library writes, on every engine.

mod builder;
mod created;
mod many_values;
mod one_connection;
mod row_triggers;
mod second_column;
mod several_rows;
mod upsert;
mod values;
mod whole_ring;
mod wrong_tenant;

use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use sea_orm_migration::SchemaManager;
use strongroom::db::{Access, Address, connect};
use strongroom::entity::SealedTable;
use strongroom::key::{FileSource, KeySource as _, Roots};
use strongroom::migration::Phase;
use strongroom::record::Strongroom;
use strongroom::schema::{Sealing, install_ring};

use crate::support::{Engine, Room};

/// A database, and the program that has it open.
pub(crate) struct Program {
    room: Room,
    pub(crate) db: DatabaseConnection,
    pub(crate) roots: Arc<Roots>,
}

impl Program {
    /// Runs these statements on a new database with a ring.
    pub(crate) async fn begin(engine: Engine, statements: &[&str]) -> Self {
        // It waits for the server, which a task must not.
        let room = std::thread::spawn(move || Room::empty(engine)).join().unwrap();
        let db = connect(&Address::parse(room.url()).unwrap(), Access::Write).await.unwrap();
        let roots = Arc::new(Roots::from(FileSource::new(room.key_file()).root().await.unwrap()));
        install_ring(&db, roots.clone()).await.unwrap();
        for sql in statements {
            db.execute_unprepared(&in_dialect(engine, sql))
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        Self { room, db, roots }
    }

    pub(crate) fn url(&self) -> &str {
        self.room.url()
    }

    /// Takes a tenant's keys away, as a failover that loses their commits does.
    pub(crate) async fn lose_keys(&self, tenant: &str) {
        let lost = format!("DELETE FROM strongroom_key WHERE scope LIKE '%{tenant}'");
        self.db.execute_unprepared(&lost).await.unwrap();
    }

    pub(crate) async fn seal(&self, table: &'static SealedTable) {
        let sealing = Sealing::new(self.roots.clone());
        sealing.migrate_to(&SchemaManager::new(&self.db), table, Phase::Sealed).await.unwrap();
    }

    pub(crate) async fn load(&self) -> Strongroom {
        Strongroom::load(self.db.clone(), self.roots.clone()).await.unwrap()
    }
}

/// `BYTES` is a column of bytes, `UUID` one of ids.
fn in_dialect(engine: Engine, sql: &str) -> String {
    let (bytes, uuid) = match engine {
        Engine::Postgres => ("bytea", "uuid"),
        Engine::Sqlite => ("blob", "blob"),
        Engine::MySql | Engine::MariaDb => ("mediumblob", "binary(16)"),
    };
    sql.replace("BYTES", bytes).replace("UUID", uuid)
}
