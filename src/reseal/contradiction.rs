//! Whether the manifest and the database agree that plaintext counts.
//!
//! An older manifest that was put back says `plain` of a table that is sealed. A program that believed it would store secrets
//! in the clear, and show values that somebody planted.

use sea_orm::ConnectionTrait;
use strongroom_entity::{OWN_TABLES, SealedTable, history::Model};
use strongroom_migration::{Migrator, Phase};

use super::error::ResealError;
use crate::db::{has_column, has_table, history};
use crate::key::{Manifest, RingError};

/// Refuses a manifest that says `plain` of a table without plaintext columns, or of one whose sealing the history has
/// finished while no step of it is under way.
pub async fn refuse_contradiction(
    db: &impl ConnectionTrait,
    manifest: &Manifest,
) -> Result<(), ResealError> {
    for table in manifest.plain_tables() {
        refuse_missing_plaintext(db, table).await?;
    }
    for table in OWN_TABLES {
        if manifest.phase(table.name) == Some(Phase::Plain) && has_table(db, table.name).await? {
            refuse_missing_plaintext(db, table).await?;
            if is_sealed_by(&history::read(db).await?, table.name) {
                return Err(contradicts(table, "the history says that it is sealed"));
            }
        }
    }
    Ok(())
}

async fn refuse_missing_plaintext(
    db: &impl ConnectionTrait,
    table: &SealedTable,
) -> Result<(), ResealError> {
    for column in table.plain_columns() {
        if !has_column(db, table.name, column).await? {
            return Err(contradicts(table, "it has no plaintext column"));
        }
    }
    Ok(())
}

fn contradicts(table: &SealedTable, found: &'static str) -> ResealError {
    RingError::PhaseContradicts { table: table.name.to_owned(), found }.into()
}

/// A step that was killed may have left the phase behind or ahead of the history.
fn is_sealed_by(history: &[Model], table: &str) -> bool {
    let steps = Migrator::without_keys().steps();
    let sealing = (1_i32..)
        .zip(&steps)
        .filter(|(_, step)| step.phases().is_some_and(|phases| phases.table == table));
    let last = |number| {
        history.iter().rev().find(|row| row.kind == "schema" && row.number == Some(number))
    };
    let rows: Vec<_> = sealing.filter_map(|(number, _)| last(number)).collect();
    let is_under_way = rows.iter().any(|row| row.finished_at.is_none());
    !is_under_way && rows.iter().any(|row| row.direction == "up")
}
