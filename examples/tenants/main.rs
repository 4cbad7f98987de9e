//! A program with two sealed entities of its own: it migrates its database, seals, finds, opens, and rolls its keys.
//!
//! ```sh
//! cargo run --example tenants                                   # SQLite, in a folder that is thrown away
//! cargo run --example tenants -- postgres://user:password@localhost/database root.key
//! ```
//! Run it twice on the same database: the second time there is nothing to migrate.

#![expect(
    clippy::print_stdout,
    unreachable_pub,
    reason = "an example prints, and has its entities as sea-orm's are written"
)]

mod api_token;
mod migration;
mod webhook;

use std::error::Error;
use std::sync::Arc;

use sea_orm::prelude::Uuid;
use sea_orm::{ActiveValue::Set, EntityTrait as _};
use strongroom::db::{Access, Address, connect};
use strongroom::key::{FileSource, KeySource as _, Rolling, Roots};
use strongroom::prelude::*;
use strongroom::reseal::Options;
use strongroom::schema::{HostRunner, Sealing, Target, install_ring};

use api_token::{SigningKey, Token};
use migration::Migrator;
use webhook::Secret;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let in_folder = format!("sqlite://{}?mode=rwc", folder.path().join("tenants.db").display());
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or(in_folder);
    let key_file = arguments.next().map_or_else(|| folder.path().join("root.key"), Into::into);

    // The root key, made if it is not there. In production it comes from wherever keys are kept.
    let source = FileSource::new(key_file);
    source.make_if_missing().await?;
    let roots = Arc::new(Roots::from(source.root().await?));

    // The schema, and the key ring that it needs.
    let db = connect(&Address::parse(&url)?, Access::Write).await?;
    install_ring(&db, roots.clone()).await?;
    let sealing = Sealing::new(roots.clone());
    let migrations =
        HostRunner::new(db.clone(), "tenants", &Migrator(sealing.clone()))?.lending_to(&sealing);
    for step in migrations.plan(Target::Up(2)).await? {
        println!("{step}");
    }
    println!("ran {:?}", migrations.up().await?);

    // The program itself. It refuses a database that is not what it was built for.
    migrations.require_current().await?;
    let room = Strongroom::load(db, roots).await?;
    room.require(&[api_token::Entity::TABLE, webhook::Entity::TABLE]).await?;
    serve(&room).await?;

    // A new key for every cell, while others read and write.
    let rolled = room.roll(Rolling::Forward, &Options::default()).await?;
    println!("{} rows moved to generation {}", rolled.moved, rolled.generation);
    Ok(())
}

async fn serve(room: &Strongroom) -> Result<(), RecordError> {
    let presented = format!("tok_{}", Uuid::new_v4().simple());
    let row = api_token::ActiveModel {
        id: Set(Uuid::new_v4()),
        tenant_id: Set("acme".to_owned()),
        name: Set("continuous integration".to_owned()),
        ..Default::default()
    };
    let token =
        row.with(Token, presented.as_str()).with(SigningKey, "between us").insert(room).await?;
    let hook = webhook::ActiveModel {
        id: Set(Uuid::new_v4()),
        tenant_id: Set(token.tenant_id.clone()),
        api_token_id: Set(token.id),
        url: Set("https://ci.example.org/events".to_owned()),
        ..Default::default()
    };
    hook.with(Secret, "whsec_1").insert(room).await?;

    // A request comes in with a token.
    let found = room.find_by(Token, &presented).await?;
    println!("found {:?}", found.map(|row| row.name));

    // An event goes out: the one place where a secret is opened.
    for (hook, token) in
        webhook::Entity::find().find_also_related(api_token::Entity).all(room).await?
    {
        let secret = room.open(Secret, &hook).await?;
        println!(
            "{} signs with {} bytes, for {:?}",
            hook.url,
            secret.as_bytes().len(),
            token.map(|token| token.name)
        );
    }
    Ok(())
}
