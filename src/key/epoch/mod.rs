//! The least manifest epoch that is accepted: a pin, and what this host has seen.
//!
//! Promises: with a memory, a manifest below the highest epoch that this host has seen is refused, and so is another ring
//! under the same address, before anything is written.
//!
//! Does not promise: anything at the first contact with a database, which is reported; anything against a program that
//! can write to this host's files and holds the root.

mod file;
mod line;
mod memory;
mod notice;

use std::io;
use std::sync::Arc;

use sea_orm::ConnectionTrait;
use sea_orm::DatabaseConnection;

use super::Manifest;
use super::manifest_row::{Verified, read_manifest};
use super::manifest_row::{read_at_any_epoch, unverified};
use super::{RingError, Roots};
use crate::key::Epoch;
use crate::key::lineage::FoundEpoch;

pub use memory::EpochMemory;
pub use notice::EpochNotice;

/// A host that is further behind than this accepts a manifest with a warning.
const FAR_BEHIND: i64 = 32;

/// What became of an operator's acceptance.
pub enum Acceptance {
    /// It is written down.
    Done,
    /// The database is at another epoch.
    Differs {
        /// At this one; 0 where it has no ring.
        now: Epoch,
    },
    /// This host keeps no epoch file.
    NoFile,
    /// The file was not written.
    Unwritable(io::Error),
}

impl From<io::Result<()>> for Acceptance {
    fn from(written: io::Result<()>) -> Self {
        written.map_or_else(Self::Unwritable, |()| Self::Done)
    }
}

/// The least epoch that is accepted, cheap to clone. From a number: that pin alone, 0 for none.
#[derive(Clone, Default)]
pub struct EpochFloor {
    pin: Epoch,
    memory: Option<Arc<EpochMemory>>,
}

impl From<i64> for EpochFloor {
    fn from(pin: i64) -> Self {
        Self { pin: pin.into(), memory: None }
    }
}

impl EpochFloor {
    /// Adds what this host has seen.
    #[must_use]
    pub fn with_memory(self, memory: EpochMemory) -> Self {
        Self { memory: Some(Arc::new(memory)), ..self }
    }

    /// The pinned epoch; 0 where none is.
    pub fn pin(&self) -> Epoch {
        self.pin
    }

    /// What this host has seen, where it remembers.
    #[doc(hidden)]
    pub fn memory(&self) -> Option<&EpochMemory> {
        self.memory.as_deref()
    }

    /// Judges the database as a command finds it, before it writes anything. The manifest, where the roots verify it;
    /// none where there is no ring, and where the root is not at hand: then the row counts unverified.
    #[doc(hidden)]
    pub async fn judge_database(
        &self,
        db: &impl ConnectionTrait,
        roots: Option<&Roots>,
    ) -> Result<Option<Manifest>, RingError> {
        let Some((ring, found)) = unverified(db).await? else {
            return self.judge_absent().map(|()| None);
        };
        if let Some(roots) = roots {
            match read_manifest(db, roots, self).await {
                Ok(verified) => return Ok(Some(verified.manifest)),
                Err(error) if error.went_back() => return Err(error),
                // Whatever needs the keys says what is wrong with them.
                Err(_) => {}
            }
        }
        if found < self.pin {
            return Err(RingError::Older { found, minimum: self.pin, is_pinned: true });
        }
        self.memory
            .as_ref()
            .map_or(Ok(()), |memory| {
                memory.judge(&ring, &FoundEpoch { epoch: found, lineage: None }, None)
            })
            .map(|()| None)
    }

    /// What is to be noticed of a database, for saying so; an error where it is refused.
    #[doc(hidden)]
    pub async fn notices(
        &self,
        db: &impl ConnectionTrait,
        roots: &Roots,
    ) -> Result<Vec<EpochNotice>, RingError> {
        let verified = read_at_any_epoch(db, roots).await?;
        let found = verified.manifest.epoch;
        if found < self.pin {
            return Err(RingError::Older { found, minimum: self.pin, is_pinned: true });
        }
        self.memory.as_ref().map_or(Ok(Vec::new()), |memory| {
            memory.compare(&verified.ring, &verified.manifest.found(), Some(&verified.key))
        })
    }

    /// Writes down that this host's own `migrate` is about to make or drop the ring.
    #[doc(hidden)]
    pub async fn intend(
        &self,
        db: &DatabaseConnection,
        roots: &Roots,
    ) -> Result<io::Result<()>, RingError> {
        let Some(memory) = &self.memory else { return Ok(Ok(())) };
        if unverified(db).await?.is_none() {
            return Ok(memory.intend(None));
        }
        let verified = read_manifest(db, roots, self).await?;
        Ok(memory.intend(Some(&verified)))
    }

    /// The same for a database that has no ring yet.
    #[doc(hidden)]
    pub fn intend_first(&self) -> io::Result<()> {
        self.memory.as_ref().map_or(Ok(()), |memory| memory.intend(None))
    }

    /// Writes down that the database has no ring after that.
    #[doc(hidden)]
    pub fn settle_absent(&self) {
        if let Some(memory) = &self.memory {
            memory.settle(None);
        }
    }

    /// Writes down which ring the database has after that.
    #[doc(hidden)]
    pub async fn settle(&self, db: &DatabaseConnection, roots: &Roots) -> Result<(), RingError> {
        let Some(memory) = &self.memory else { return Ok(()) };
        if unverified(db).await?.is_none() {
            memory.settle(None);
            return Ok(());
        }
        let verified = read_manifest(db, roots, self).await?;
        memory.settle(Some(&verified));
        Ok(())
    }

    /// Accepts the epoch that the database has now, which must be this one; 0 where it has no ring.
    #[doc(hidden)]
    pub async fn accept(
        &self,
        db: &DatabaseConnection,
        roots: Option<&Roots>,
        epoch: Epoch,
    ) -> Result<Acceptance, RingError> {
        let Some(memory) = &self.memory else { return Ok(Acceptance::NoFile) };
        let Some((_, now)) = unverified(db).await? else { return Ok(self.accept_absent(epoch)) };
        if now != epoch {
            return Ok(Acceptance::Differs { now });
        }
        let verified = read_at_any_epoch(db, roots.ok_or(RingError::Missing)?).await?;
        Ok(memory.accept(Some(&verified)).into())
    }

    /// Accepts a database without a ring.
    #[doc(hidden)]
    pub fn accept_absent(&self, epoch: Epoch) -> Acceptance {
        match &self.memory {
            None => Acceptance::NoFile,
            Some(_) if epoch != Epoch::NONE => Acceptance::Differs { now: Epoch::NONE },
            Some(memory) => memory.accept(None).into(),
        }
    }

    /// Refuses an older manifest and another ring. Logs what else is to be noticed, once a process.
    pub(super) fn judge(&self, verified: &Verified) -> Result<(), RingError> {
        let found = verified.manifest.epoch;
        if found < self.pin {
            return Err(RingError::Older { found, minimum: self.pin, is_pinned: true });
        }
        self.memory.as_ref().map_or(Ok(()), |memory| {
            memory.judge(&verified.ring, &verified.manifest.found(), Some(&verified.key))
        })
    }

    /// Refuses a database without a ring where this host has seen one, or a pin demands one.
    #[doc(hidden)]
    pub fn judge_absent(&self) -> Result<(), RingError> {
        if self.pin > Epoch::NONE {
            return Err(RingError::Missing);
        }
        self.memory.as_ref().map_or(Ok(()), |memory| memory.judge_absent())
    }

    /// Reads the committed manifest, judges it, and raises what this host remembers. Takes a pool because the epoch inside
    /// a transaction may never be committed.
    #[doc(hidden)]
    pub async fn remember(&self, db: &DatabaseConnection, roots: &Roots) -> Result<(), RingError> {
        let Some(memory) = &self.memory else { return Ok(()) };
        let verified = read_manifest(db, roots, self).await?;
        memory.raise(&verified.ring, &verified.manifest.found().seen(), &verified.key);
        Ok(())
    }

    /// Whether this epoch of this process's ring is written down already.
    pub(super) fn has_raised(&self, epoch: Epoch) -> bool {
        self.memory.as_ref().is_none_or(|memory| memory.has_raised(epoch))
    }

    /// Names the operator's last acceptance of an older manifest or another ring, if there was one.
    pub(super) fn acceptance(&self) -> Option<String> {
        self.memory.as_ref()?.acceptance()
    }
}
