//! A database whose ring serves programs' own tables and none of Strongroom's.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _};
use serde::Serialize;
use strongroom_entity::{credential, manifest};

use super::{State, Status};
use crate::db::has_table;

/// A table of a program, as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgramTable {
    /// The table.
    pub table: String,
    /// Its phase.
    pub phase: String,
}

/// Returns the tables of programs, where the ring serves them alone. Empty where a step of Strongroom's own was begun: its
/// pending steps concern this database then.
///
/// Needs no key, so the names are not authenticated: they decide which advice is shown.
pub async fn programs_alone(
    db: &impl ConnectionTrait,
    status: &Status,
) -> Result<Vec<ProgramTable>, DbErr> {
    let is_begun = status.migrations.iter().any(|step| step.state != State::Pending);
    if is_begun
        || has_table(db, credential::TABLE.name).await?
        || !has_table(db, "strongroom_manifest").await?
    {
        return Ok(Vec::new());
    }
    let Some(row) = manifest::Entity::find_by_id(1_i16).one(db).await? else {
        return Ok(Vec::new());
    };
    let body: serde_json::Value = serde_json::from_str(&row.body).unwrap_or_default();
    let phase = |table: &str| {
        body.get("phases")
            .and_then(|phases| phases.get(table)?.as_str())
            .unwrap_or("plain")
            .to_owned()
    };
    let tables = body.get("tables").and_then(serde_json::Value::as_object).into_iter().flatten();
    Ok(tables
        .map(|(table, _)| ProgramTable { phase: phase(table), table: table.clone() })
        .collect())
}

/// Names the tables with their phases, for a person.
pub fn named(tables: &[ProgramTable]) -> String {
    tables.iter().map(|it| format!("{} ({})", it.table, it.phase)).collect::<Vec<_>>().join(", ")
}
