//! Adds sealing to a table that is there, with rows: forward phase by phase with its progress, and back.
//!
//! ```sh
//! cargo run --example existing                                  # SQLite, in a folder that is thrown away
//! cargo run --example existing -- postgres://user:password@localhost/database
//! ```
//! A database of a server must be empty, and is of no use afterwards: the root key is thrown away.

#![expect(
    clippy::print_stdout,
    unreachable_pub,
    reason = "an example prints, and has its entities as sea-orm's are written"
)]

mod api_token;

use std::error::Error;
use std::sync::Arc;

use futures::StreamExt as _;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use strongroom::db::{Access, Address, connect};
use strongroom::key::{FileSource, KeySource as _, Roots};
use strongroom::migration::Phase;
use strongroom::prelude::*;
use strongroom::reseal::{Event, Options};
use strongroom::schema::{HostRunner, Sealing, install_ring};

use api_token::Token;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let in_folder = format!("sqlite://{}?mode=rwc", folder.path().join("tokens.db").display());
    let url = std::env::args().nth(1).unwrap_or(in_folder);
    let db = connect(&Address::parse(&url)?, Access::Write).await?;
    let source = FileSource::new(folder.path().join("root.key"));
    source.make_if_missing().await?;
    let roots = Arc::new(Roots::from(source.root().await?));
    fill_as_an_older_program_did(&db).await?;

    // The upgrade. What happens is a stream of events, for whatever the program shows them with.
    install_ring(&db, roots.clone()).await?;
    let (options, mut events) = Options::default().with_events();
    let shown = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Event::Started { work, rows, .. } = event {
                println!("  {work} {rows} rows");
            }
        }
    });
    let sealing = Sealing::new(roots.clone()).with_options(options);
    let migrations =
        HostRunner::new(db.clone(), "existing", &Migrator(sealing.clone()))?.lending_to(&sealing);
    migrations.up_to("fill_token").await?;
    println!(
        "plaintext counts, and every row has a cell beside it; programs of before go on writing"
    );
    migrations.up().await?;
    let room = Strongroom::load(db.clone(), roots).await?;
    room.require(&[api_token::Entity::TABLE]).await?;
    let row = room.find_by(Token, "tok_0042").await?.ok_or("lost a row")?;
    println!("sealed: {row:?}");
    println!("opened on purpose: {:?}", room.open(Token, &row).await?.as_text());

    // And back, to the table as it was.
    migrations.down_to("0").await?;
    let plain = db.query_one_raw(sea_orm::Statement::from_string(
        db.get_database_backend(),
        "SELECT token FROM api_token WHERE id = 'row-42'",
    ));
    println!(
        "back in the clear: {}",
        plain.await?.ok_or("lost a row")?.try_get::<String>("", "token")?
    );
    drop((migrations, sealing));
    shown.await?;
    Ok(())
}

struct Migrator(Sealing);

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Step {
                name: "fill_token",
                up: Phase::Filled,
                down: Phase::Plain,
                sealing: self.0.clone(),
            }),
            Box::new(Step {
                name: "seal_token",
                up: Phase::Sealed,
                down: Phase::Filled,
                sealing: self.0.clone(),
            }),
        ]
    }
}

/// The way is cut in two: between the steps the programs that write plaintext are replaced.
struct Step {
    name: &'static str,
    up: Phase,
    down: Phase,
    sealing: Sealing,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.sealing.migrate_to(manager, api_token::Entity::TABLE, self.up).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.sealing.migrate_to(manager, api_token::Entity::TABLE, self.down).await
    }
}

async fn fill_as_an_older_program_did(db: &DatabaseConnection) -> Result<(), DbErr> {
    let table = "CREATE TABLE api_token (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64) NOT NULL, \
                 name varchar(255) NOT NULL, token varchar(255) NOT NULL UNIQUE)";
    db.execute_unprepared(table).await?;
    for n in 0..1000 {
        let row = format!(
            "INSERT INTO api_token VALUES ('row-{n}', 'tenant-{}', 'token {n}', 'tok_{n:04}')",
            n % 7
        );
        db.execute_unprepared(&row).await?;
    }
    println!("{} rows in the clear", 1000);
    Ok(())
}
