//! `strongroom keys quarantine …`: what could not be opened.

mod discard;
mod export;

use clap::{Args, Subcommand};
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use strongroom::entity::{SealedTable, quarantine};
use strongroom::migration::Phase;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::text::Text;
use strongroom::internal::db::{self, Access, DatabaseConnection, DbErr};
use strongroom::internal::reseal::{ResealError, sealed_tables};
use strongroom::key::Ring;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Name the rows that could not be opened, and why
    List,
    /// Print them whole, cells and wrapped keys included, as the break-glass script reads them
    Export,
    /// Remove a row that does not open; a row that opens by now only leaves the list
    Discard(Discard),
}

#[derive(Debug, Args)]
pub(crate) struct Discard {
    /// The row
    #[arg(long, value_name = "ID")]
    id: String,
    /// Its table, where rows of several have that id
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
}

pub(super) async fn run(
    command: Command,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        Command::List => list(session, output).await,
        Command::Export => export::run(session, output).await,
        Command::Discard(discard) => discard::run(&discard, session, output).await,
    }
}

async fn list(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let rows = quarantined(&session.connect_to_ours(Access::Read).await?).await?;
    let documents: Vec<_> = rows.iter().map(entry).collect();
    output.result(&json!({ "quarantined": documents }), || {
        let lines = rows.iter().map(|row| {
            format!("{}  {}  {}  {}", row.table_name, row.row_id, row.column_name, row.reason)
        });
        let lines = if rows.is_empty() {
            vec!["nothing is in quarantine".to_owned()]
        } else {
            lines.collect()
        };
        Text::of(lines)
    });
    Ok(Exit::Done)
}

fn entry(row: &quarantine::Model) -> Value {
    json!({ "table": row.table_name, "id": row.row_id, "column": row.column_name, "reason": row.reason })
}

async fn quarantined(db: &DatabaseConnection) -> Result<Vec<quarantine::Model>, DbErr> {
    if !db::has_table(db, "strongroom_quarantine").await? {
        return Ok(Vec::new());
    }
    quarantine::Entity::find().all(db).await
}

/// A table with cells, as the authenticated manifest describes it.
fn described(
    ring: &Ring,
    name: &str,
) -> Result<Option<(&'static SealedTable, Phase)>, ResealError> {
    Ok(sealed_tables(&ring.manifest())?.into_iter().find(|(table, _)| table.name == name))
}
