//! Reading the ring inside a transaction.

use std::collections::BTreeSet;
use std::time::Instant;

use sea_orm::ConnectionTrait;

use super::Ring;
use crate::key::RingError;
use crate::key::key_rows::Wanted;

impl Ring {
    /// Reads the manifest where it is old, and takes a newer one. What a transaction sees may be old already, so it does not
    /// count as just read.
    pub(crate) async fn refresh_within(&self, db: &impl ConnectionTrait) -> Result<(), RingError> {
        if self.read().will_do() {
            return Ok(());
        }
        let fresh = self.read_manifest(db).await?;
        let mut state = self.write();
        if fresh.epoch > state.manifest.epoch {
            state.manifest = fresh;
        }
        Ok(())
    }

    /// Whether the manifest was read after this moment, and the database has not gone back.
    pub(crate) fn was_read_since(&self, moment: Instant) -> bool {
        let state = self.read();
        !state.went_back && state.read_at >= moment
    }

    /// Whether the database had gone back when it was read last.
    pub(crate) fn has_gone_back(&self) -> bool {
        self.read().went_back
    }

    /// See [`Ring::learn`]; the manifest stays as it is.
    pub(crate) async fn learn_within<'a>(
        &self,
        db: &impl ConnectionTrait,
        cells: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RingError> {
        let unknown = self.unknown(Self::named(cells).into_iter());
        if unknown.is_empty() { Ok(()) } else { self.fetch(db, Wanted::Ids(unknown)).await }
    }

    /// Whether each of these scopes has a data key of the active generation, read again for those that seem to have none.
    pub(crate) async fn finds_keys_within(
        &self,
        db: &impl ConnectionTrait,
        scopes: &BTreeSet<String>,
    ) -> Result<bool, RingError> {
        let (missing, generation) = self.missing(scopes);
        if missing.is_empty() {
            return Ok(true);
        }
        let wanted = missing.into_iter().map(ToOwned::to_owned).collect();
        self.fetch(db, Wanted::Scopes(generation, wanted)).await?;
        Ok(self.missing(scopes).0.is_empty())
    }
}
