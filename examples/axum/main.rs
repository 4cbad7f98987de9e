//! A service that keeps tokens in a sealed column and knows its callers by them.
//!
//! ```sh
//! cargo run --example axum
//! curl -X POST localhost:3000/tokens -H 'content-type: application/json' -d '{"tenant":"acme","name":"laptop"}'
//! curl localhost:3000/whoami -H 'authorization: Bearer tok_…'
//! ```

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "an example prints, and has its entities as sea-orm's are written"
)]

mod api_token;

use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use sea_orm::prelude::Uuid;
use sea_orm::{ActiveValue::Set, ConnectionTrait as _, DatabaseConnection, Schema};
use sea_orm_migration::SchemaManager;
use serde::{Deserialize, Serialize};
use strongroom::db::{Access, Address, connect};
use strongroom::key::{FileSource, KeySource as _, Roots};
use strongroom::migration::Phase;
use strongroom::prelude::*;
use strongroom::schema::{Sealing, install_ring};

use api_token::Token;

#[derive(Deserialize)]
struct Wanted {
    tenant: String,
    name: String,
}

/// The one time that the token is shown.
#[derive(Serialize)]
struct Made {
    id: Uuid,
    token: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let db = connect(
        &Address::parse(&format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("tokens.db").display()
        ))?,
        Access::Write,
    )
    .await?;
    let source = FileSource::new(folder.path().join("root.key"));
    source.make_if_missing().await?;
    let roots = Arc::new(Roots::from(source.root().await?));
    prepare(&db, &roots).await?;

    let room = Strongroom::load(db, roots).await?;
    let routes =
        Router::new().route("/tokens", post(make)).route("/whoami", get(who_am_i)).with_state(room);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, routes).await?;
    Ok(())
}

/// One table without migrations; see the example `tenants` for those.
async fn prepare(db: &DatabaseConnection, roots: &Arc<Roots>) -> Result<(), Box<dyn Error>> {
    install_ring(db, roots.clone()).await?;
    db.execute(&Schema::new(db.get_database_backend()).create_table_from_entity(api_token::Entity))
        .await?;
    Ok(Sealing::new(roots.clone())
        .migrate_to(&SchemaManager::new(db), api_token::Entity::TABLE, Phase::Sealed)
        .await?)
}

async fn make(
    State(room): State<Strongroom>,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Made>, StatusCode> {
    let token = format!("tok_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let row = api_token::ActiveModel {
        id: Set(Uuid::new_v4()),
        tenant_id: Set(wanted.tenant),
        name: Set(wanted.name),
        ..Default::default()
    };
    let row =
        row.with(Token, token.as_str()).insert(&room).await.map_err(|error| refused(&error))?;
    Ok(Json(Made { id: row.id, token }))
}

async fn who_am_i(
    State(room): State<Strongroom>,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    let presented =
        headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let presented = presented.ok_or(StatusCode::UNAUTHORIZED)?;
    let row = room
        .find_by(Token, presented)
        .await
        .map_err(|error| refused(&error))?
        .ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(format!("{} of {}\n", row.name, row.tenant_id))
}

/// Callers learn that it failed; why is the log's.
fn refused(error: &RecordError) -> StatusCode {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}
