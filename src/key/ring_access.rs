//! What opens a database's key ring.

use std::sync::Arc;

use super::{EpochFloor, Roots};

/// The roots that a ring may be under, and the oldest manifest that is accepted of it. Cheap to clone.
///
/// From roots alone: a manifest of any epoch is accepted, also one of an older copy that was put back.
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
