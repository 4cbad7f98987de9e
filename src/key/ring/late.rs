//! Keys that came after the ring was loaded.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;

use super::Ring;
use crate::crypto::KeyId;
use crate::key::RingError;
use crate::key::key_rows::{self, Wanted};

/// Stays below every engine's limit of parameters in one statement.
const IDS_A_STATEMENT: usize = 10_000;

impl Ring {
    /// Loads the keys with these ids that the ring does not hold yet. See [`Ring::learn`].
    pub(crate) async fn learn_keys(
        &self,
        db: &impl ConnectionTrait,
        named: &BTreeSet<KeyId>,
    ) -> Result<(), RingError> {
        let unknown = self.unknown(named.iter().copied());
        if !unknown.is_empty() {
            self.fetch_ids(db, &unknown).await?;
            let unknown = self.unknown(unknown.into_iter());
            if !unknown.is_empty() && self.has_changed_root(db).await? {
                self.fetch_ids(db, &unknown).await?;
            }
        }
        if self.is_behind(named) { self.refresh_now(db).await } else { Ok(()) }
    }

    /// Whether one of these keys is of a generation that came after the manifest was read.
    fn is_behind(&self, ids: &BTreeSet<KeyId>) -> bool {
        let state = self.read();
        let known = |generation| {
            state.manifest.generations.iter().any(|known| known.generation == generation)
        };
        ids.iter().filter_map(|id| state.data.get(id)).any(|entry| !known(entry.generation))
    }

    pub(super) fn unknown(&self, ids: impl Iterator<Item = KeyId>) -> BTreeSet<KeyId> {
        let state = self.read();
        ids.filter(|id| !state.data.contains_key(id)).collect()
    }

    async fn fetch_ids(
        &self,
        db: &impl ConnectionTrait,
        ids: &BTreeSet<KeyId>,
    ) -> Result<(), RingError> {
        let ids: Vec<KeyId> = ids.iter().copied().collect();
        for ids in ids.chunks(IDS_A_STATEMENT) {
            self.fetch(db, Wanted::Ids(ids.iter().copied().collect())).await?;
        }
        Ok(())
    }

    pub(super) async fn fetch(
        &self,
        db: &impl ConnectionTrait,
        wanted: Wanted,
    ) -> Result<(), RingError> {
        let manifest = self.manifest();
        let keys = key_rows::data_keys(
            db,
            self.access.roots().find(&manifest.root_id)?,
            &self.id(),
            wanted,
        )
        .await?;
        self.keep(keys);
        Ok(())
    }

    /// Whether the ring was wrapped under another root since the manifest was read.
    pub(super) async fn has_changed_root(
        &self,
        db: &impl ConnectionTrait,
    ) -> Result<bool, RingError> {
        let before = self.manifest().root_id;
        self.refresh_now(db).await?;
        Ok(self.manifest().root_id != before)
    }
}
