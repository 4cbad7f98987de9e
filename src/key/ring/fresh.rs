//! Following the manifest, and noticing a database that went back.

use std::sync::PoisonError;
use std::time::Instant;

use sea_orm::ConnectionTrait;

use super::{Ring, Verified, read_manifest};
use crate::key::RingError;
use crate::key::lineage::Descent;

impl Ring {
    /// Drops every data key and the knowledge of how old the manifest is. The next use reads both again, as for a ring that was
    /// just loaded. For a writer whose key the database does not have.
    pub(crate) fn forget_keys(&self) {
        let mut state = self.write();
        state.data.clear();
        state.by_scope.clear();
        state.columns.clear();
        state.is_stale = true;
    }

    /// See [`Ring::refresh_now`].
    pub(super) async fn reread_manifest(&self, db: &impl ConnectionTrait) -> Result<(), RingError> {
        let asked_at = Instant::now();
        let fresh = match self.read_verified(db).await {
            Err(error) if error.went_back() && self.is_accepted_since() => {
                return self.replace(db).await;
            }
            Err(error) => {
                self.write().went_back = error.went_back();
                return Err(error);
            }
            Ok(verified) => verified.manifest,
        };
        let mut state = self.write();
        if fresh.epoch >= state.manifest.epoch {
            state.manifest = fresh;
            state.read_at = asked_at;
            state.went_back = false;
            state.is_stale = false;
        }
        Ok(())
    }

    /// See [`Ring::reload`].
    pub(super) async fn reload_whole(&self, db: &impl ConnectionTrait) -> Result<(), RingError> {
        match self.read_verified(db).await {
            Err(error) if error.went_back() && self.is_accepted_since() => {}
            read => drop(read?),
        }
        self.replace(db).await
    }

    /// Reads the manifest, and refuses one that is older than the one in memory, or another ring's.
    pub(super) async fn read_verified(
        &self,
        db: &impl ConnectionTrait,
    ) -> Result<Verified, RingError> {
        let verified = read_manifest(db, self.access.roots(), self.access.floor()).await?;
        let (found, state) = (verified.manifest.epoch, self.read());
        if verified.ring != state.id {
            return Err(RingError::RingChanged { epoch: found });
        }
        let (minimum, descent) = (
            state.manifest.epoch,
            verified.manifest.found().descent_from(&state.manifest.found().seen()),
        );
        drop(state);
        match descent {
            Descent::Follows => Ok(verified),
            Descent::Older => Err(RingError::Older { found, minimum, is_pinned: false }),
            Descent::Diverged => Err(RingError::Diverged { found, seen: minimum }),
        }
    }

    /// Whether the operator has accepted an older manifest, or another ring, since this one was loaded.
    fn is_accepted_since(&self) -> bool {
        let accepted = self.access.floor().acceptance();
        accepted.is_some() && accepted != self.read().acceptance
    }

    /// Drops every key and loads the ring that the database has now. A reader that was slower than another keeps the
    /// newer one, unless the operator accepted an older one.
    async fn replace(&self, db: &impl ConnectionTrait) -> Result<(), RingError> {
        let fresh = Self::load_as(db, self.access.clone(), self.is_whole).await?;
        let fresh = fresh.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.write();
        let is_same_line = fresh.id == state.id && fresh.acceptance == state.acceptance;
        if !is_same_line || fresh.manifest.epoch >= state.manifest.epoch {
            *state = fresh;
        }
        Ok(())
    }
}
