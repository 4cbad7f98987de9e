//! The roots and the minimum epoch with which a key ring is loaded.

use std::sync::Arc;

use super::{EpochFloor, Roots};

/// The roots that may have wrapped a ring, and the oldest manifest that is accepted. Cheap to clone.
///
/// Made from roots alone, it accepts a manifest of any epoch, also after an older copy of the database was restored.
#[derive(Clone)]
pub struct RingAccess {
    roots: Arc<Roots>,
    floor: EpochFloor,
}

impl RingAccess {
    /// `floor` is a pinned epoch, or an [`EpochFloor`] with what this host has seen.
    pub fn new(roots: impl Into<Arc<Roots>>, floor: impl Into<EpochFloor>) -> Self {
        Self { roots: roots.into(), floor: floor.into() }
    }

    /// The roots.
    pub fn roots(&self) -> &Arc<Roots> {
        &self.roots
    }

    /// The oldest manifest that is accepted.
    pub fn floor(&self) -> &EpochFloor {
        &self.floor
    }
}

impl From<Arc<Roots>> for RingAccess {
    fn from(roots: Arc<Roots>) -> Self {
        Self::new(roots, 0)
    }
}
