//! Rolling keys: every cell to a new generation, or back to the one before.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use strongroom_entity::{OWN_TABLES, SealedTable};
use strongroom_migration::Phase;

use super::direction::Direction;
use super::engine::Engine;
use super::error::ResealError;
use super::options::Options;
use super::side_effect::{foreign_triggers, trigger_condition};
use crate::db::history::{self, Entry};
use crate::db::{self, Lock};
use crate::key::{Generation, Manifest, Ring, Rolling};

/// What a finished roll did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RollReport {
    /// The generation that every cell is on now.
    pub generation: Generation,
    /// Rows moved, by this run and by interrupted ones before it.
    pub moved: u64,
    /// Cells that do not open and stayed where they were.
    pub bad: u64,
}

/// Rolls forward to a new generation, or back. An unfinished roll is continued, never doubled.
pub async fn roll(
    db: &DatabaseConnection,
    ring: &Arc<Ring>,
    lock: &Lock,
    direction: Rolling,
    options: &Options,
) -> Result<RollReport, ResealError> {
    refuse_triggers(db, ring).await?;
    let entry = db::retry!(begin(db, ring, lock, direction))?;
    ring.reload(db).await?;
    ring.remember(db).await?;
    let (mut moved, mut bad) = (0, 0);
    for (table, _) in sealed_tables(&ring.manifest())? {
        let report =
            Engine { db, ring: ring.clone(), lock, table, options }.run(Direction::Roll).await?;
        moved += report.moved;
        bad += report.bad;
    }
    db::retry!(finish(db, ring, lock, entry))?;
    ring.reload(db).await?;
    ring.remember(db).await?;
    Ok(RollReport { generation: ring.active(), moved, bad })
}

/// Returns the tables to count: every table with cells, and Strongroom's own, sealed or not, where they are there.
pub async fn counted_tables(
    db: &impl ConnectionTrait,
    manifest: Option<&Manifest>,
) -> Result<Vec<(&'static SealedTable, Phase)>, ResealError> {
    let mut tables = manifest.map_or(Ok(Vec::new()), sealed_tables)?;
    for own in OWN_TABLES {
        let counted = tables.iter().any(|(table, _)| table.name == own.name);
        if !counted && db::has_table(db, own.name).await? {
            tables.insert(0, (own, Phase::Plain));
        }
    }
    Ok(tables)
}

/// Every table with cells. A table that this program cannot know is not passed over: its cells would be left behind.
pub fn sealed_tables(
    manifest: &Manifest,
) -> Result<Vec<(&'static SealedTable, Phase)>, ResealError> {
    manifest.sealed_tables().ok_or(ResealError::UnknownPhase)
}

/// Refuses triggers to which every row would seem changed, before the first change.
async fn refuse_triggers(db: &impl ConnectionTrait, ring: &Ring) -> Result<(), ResealError> {
    for (table, _) in sealed_tables(&ring.manifest())? {
        let names = foreign_triggers(db, table).await?;
        if !names.is_empty() {
            return Err(ResealError::Triggers {
                table: table.name,
                names,
                condition: trigger_condition(table.name),
            });
        }
    }
    Ok(())
}

async fn begin(
    db: &DatabaseConnection,
    ring: &Ring,
    lock: &Lock,
    direction: Rolling,
) -> Result<i64, ResealError> {
    let transaction = db::begin(db).await?;
    if sealed_tables(&ring.read_manifest(&transaction).await?)?.is_empty() {
        return Err(ResealError::NoRing);
    }
    let start = |manifest: &mut Manifest| match direction {
        Rolling::Forward => Ok(manifest.roll_forward()?),
        Rolling::Back => Ok(manifest.roll_back()?),
    };
    let manifest = ring.change_manifest(&transaction, start).await?;
    let entry = Entry {
        number: None,
        name: format!("roll to generation {}", manifest.active),
        kind: "roll",
        direction: if direction == Rolling::Forward { "up" } else { "down" },
        checksum: None,
    };
    let id = history::begin(&transaction, lock, &entry).await?;
    lock.fence(&transaction).await?;
    transaction.commit().await?;
    Ok(id)
}

async fn finish(
    db: &DatabaseConnection,
    ring: &Ring,
    lock: &Lock,
    entry: i64,
) -> Result<(), ResealError> {
    let transaction = db::begin(db).await?;
    let end = |manifest: &mut Manifest| {
        manifest.rolling = None;
        Ok(())
    };
    ring.change_manifest(&transaction, end).await?;
    history::finish(&transaction, lock, entry).await?;
    lock.fence(&transaction).await?;
    Ok(transaction.commit().await?)
}
