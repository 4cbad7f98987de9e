//! What a roll would move, counted from the cells; nothing is changed.

use sea_orm::ConnectionTrait;

use super::count::census;
use super::error::ResealError;
use super::roll::sealed_tables;
use crate::key::{Generation, Ring, RingError, Rolling};

/// What a roll would do.
pub struct RollPlan {
    /// The generation that it would make active.
    pub generation: Generation,
    /// Cells on any other generation; those that do not open are among them.
    pub cells: u64,
}

/// Counts what [`roll`](super::roll) would move, and refuses what it would refuse.
pub async fn plan_roll(
    db: &impl ConnectionTrait,
    ring: &Ring,
    direction: Rolling,
) -> Result<RollPlan, ResealError> {
    let tables = sealed_tables(&ring.manifest())?;
    if tables.is_empty() {
        return Err(ResealError::NoRing);
    }
    let (_, counts) = census(db, &tables, Some(ring)).await?;
    // The count may have met keys of a newer generation.
    let mut manifest = ring.manifest();
    let begun = match direction {
        Rolling::Forward => manifest.roll_forward(),
        Rolling::Back => manifest.roll_back(),
    };
    begun.map_err(RingError::from)?;
    let elsewhere = counts.iter().filter(|count| count.generation != Some(manifest.active));
    Ok(RollPlan { generation: manifest.active, cells: elsewhere.map(|count| count.cells).sum() })
}
