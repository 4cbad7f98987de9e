//! Retiring a key generation: close it, count, mark it, and wipe its keys after a time of grace.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DatabaseTransaction, EntityTrait as _, QueryFilter as _,
};
use strongroom_entity::key;

use super::count;
use super::error::ResealError;
use super::roll::sealed_tables;
use crate::db::history::{self, Entry};
use crate::db::{self, Lock};
use crate::key::{Generation, KeyState, LIFETIME, Manifest, Ring};

/// How a retired generation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retired {
    /// The generation.
    pub generation: Generation,
    /// Whether its keys are gone for good.
    pub wiped: bool,
    /// How long they stay otherwise.
    pub wiped_in: Duration,
}

/// Retires a generation under which no cell is sealed any more. Run again after the time of grace, it wipes
/// the keys. A generation that turns out to be in use is opened again.
pub async fn retire(
    db: &DatabaseConnection,
    ring: &Arc<Ring>,
    lock: &Lock,
    generation: Generation,
    grace: Duration,
) -> Result<Retired, ResealError> {
    if ring.manifest().state(generation) != Some(KeyState::Retired) {
        if let Err(in_use) = close(db, ring, lock, generation).await {
            // A run that was killed may have left it closed.
            if ring.manifest().state(generation).is_some() {
                db::retry!(change(db, ring, lock, |manifest| Ok(manifest.reopen(generation)?)))?;
            }
            return Err(in_use);
        }
        db::retry!(mark(db, ring, lock, generation, grace))?;
    }
    ring.reload(db).await?;
    ring.remember(db).await?;
    let wipe_after = ring
        .manifest()
        .generations
        .iter()
        .find(|known| known.generation == generation)
        .and_then(|it| it.wipe_after);
    let left = wipe_after.unwrap_or(i64::MAX).saturating_sub(db::clock_ms(db).await?);
    if left > 0 {
        return Ok(Retired {
            generation,
            wiped: false,
            wiped_in: Duration::from_millis(left.unsigned_abs()),
        });
    }
    if has_keys(db, generation).await? {
        if let Err(in_use) = refuse_in_use(db, ring, generation).await {
            // A transaction that was open meanwhile, or a row that was put back, brought cells that nothing else opens.
            db::retry!(change(db, ring, lock, |manifest| Ok(manifest.reopen(generation)?)))?;
            return Err(in_use);
        }
        db::retry!(wipe(db, ring, lock, generation))?;
    }
    Ok(Retired { generation, wiped: true, wiped_in: Duration::ZERO })
}

/// Whether its keys are not wiped yet.
async fn has_keys(db: &DatabaseConnection, generation: Generation) -> Result<bool, ResealError> {
    let keys = key::Entity::find()
        .filter(key::Column::Generation.eq(generation.number()))
        .filter(key::Column::Purpose.eq("data"));
    Ok(keys.all(db).await?.iter().any(|key| !key.wrapped.is_empty()))
}

/// Closes it, unless a cell needs it, before or after.
async fn close(
    db: &DatabaseConnection,
    ring: &Ring,
    lock: &Lock,
    generation: Generation,
) -> Result<(), ResealError> {
    refuse_in_use(db, ring, generation).await?;
    db::retry!(change(db, ring, lock, |manifest| Ok(manifest.close(generation)?)))?;
    // Programs that have not noticed yet may still write back what they read.
    tokio::time::sleep(2 * LIFETIME).await;
    ring.reload(db).await?;
    ring.remember(db).await?;
    refuse_in_use(db, ring, generation).await
}

/// Counts from the cells themselves, by the rows of the keys: a key that does not unwrap may yet be restored.
async fn refuse_in_use(
    db: &DatabaseConnection,
    ring: &Ring,
    generation: Generation,
) -> Result<(), ResealError> {
    let mut cells = 0;
    for (table, _) in sealed_tables(&ring.read_manifest(db).await?)? {
        cells += count::cells_under(db, table, generation).await?;
    }
    match cells {
        0 => Ok(()),
        cells => Err(ResealError::StillInUse { generation, cells }),
    }
}

async fn change(
    db: &DatabaseConnection,
    ring: &Ring,
    lock: &Lock,
    change: impl Fn(&mut Manifest) -> Result<(), crate::key::RingError>,
) -> Result<(), ResealError> {
    let transaction = db::begin(db).await?;
    ring.change_manifest(&transaction, change).await?;
    commit(transaction, lock).await
}

async fn mark(
    db: &DatabaseConnection,
    ring: &Ring,
    lock: &Lock,
    generation: Generation,
    grace: Duration,
) -> Result<(), ResealError> {
    let transaction = db::begin(db).await?;
    let grace = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
    let wipe_after = db::clock_ms(&transaction).await?.saturating_add(grace);
    ring.change_manifest(&transaction, |manifest| Ok(manifest.retire(generation, wipe_after)?))
        .await?;
    let entry = Entry {
        number: None,
        name: format!("retire generation {generation}"),
        kind: "retire",
        direction: "up",
        checksum: None,
    };
    let row = history::begin(&transaction, lock, &entry).await?;
    history::finish(&transaction, lock, row).await?;
    commit(transaction, lock).await
}

async fn wipe(
    db: &DatabaseConnection,
    ring: &Ring,
    lock: &Lock,
    generation: Generation,
) -> Result<(), ResealError> {
    let transaction = db::begin(db).await?;
    ring.wipe(&transaction, generation).await?;
    commit(transaction, lock).await
}

async fn commit(transaction: DatabaseTransaction, lock: &Lock) -> Result<(), ResealError> {
    lock.fence(&transaction).await?;
    Ok(transaction.commit().await?)
}
