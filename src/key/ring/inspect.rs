//! Rows of keys that are no keys: damaged, planted, or under a number that no key has.

use sea_orm::ConnectionTrait;
use strongroom_entity::key;

use super::Ring;
use crate::key::key_rows;
use crate::key::{Generation, KeyState, RingError};

/// A row that does not unwrap. Cells that name it cannot be opened, and its scope is sealed for no more in its generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKey {
    /// Its number.
    pub id: i64,
    /// As it stands in the row.
    pub purpose: String,
    /// As it stands in the row.
    pub scope: String,
    /// As it stands in the row.
    pub generation: i32,
    /// Why it is no key.
    pub reason: String,
}

impl Ring {
    /// Returns the rows that do not unwrap. Wiped keys of a retired generation are none of them.
    #[doc(hidden)]
    pub async fn bad_keys(&self, db: &impl ConnectionTrait) -> Result<Vec<BadKey>, RingError> {
        let found = self.bad_keys_now(db).await?;
        // A rewrap, or a generation that was retired and wiped, between reading the manifest and reading the keys.
        let before = self.manifest().epoch;
        if found.is_empty()
            || (!self.has_changed_root(db).await? && self.manifest().epoch == before)
        {
            return Ok(found);
        }
        self.bad_keys_now(db).await
    }

    /// Returns why one row is no key, `None` if it is one; `Missing` where there is no such row.
    #[doc(hidden)]
    pub async fn bad_key(
        &self,
        db: &impl ConnectionTrait,
        id: i64,
    ) -> Result<Option<BadKey>, RingError> {
        let row = key_rows::one_row(db, id).await?.ok_or(RingError::Missing)?;
        self.judge(&row)
    }

    /// Removes a row that is no key; whether it was there. The caller has judged it in the same transaction.
    #[doc(hidden)]
    pub async fn discard_key(
        &self,
        db: &impl ConnectionTrait,
        bad: &BadKey,
    ) -> Result<bool, RingError> {
        key_rows::remove(db, bad.id).await
    }

    async fn bad_keys_now(&self, db: &impl ConnectionTrait) -> Result<Vec<BadKey>, RingError> {
        let rows = key_rows::all_rows(db).await?;
        let judged = rows.iter().map(|row| self.judge(row)).collect::<Result<Vec<_>, _>>()?;
        Ok(judged.into_iter().flatten().collect())
    }

    fn judge(&self, row: &key::Model) -> Result<Option<BadKey>, RingError> {
        let manifest = self.manifest();
        let generation = Generation::try_from(row.generation).ok();
        let is_retired =
            generation.and_then(|generation| manifest.state(generation)) == Some(KeyState::Retired);
        if row.wrapped.is_empty() && row.purpose == "data" && is_retired {
            return Ok(None);
        }
        let Some(reason) =
            key_rows::refusal(self.access.roots().find(&manifest.root_id)?, &self.id(), row)
        else {
            return Ok(None);
        };
        let (purpose, scope) = (row.purpose.clone(), row.scope.clone());
        Ok(Some(BadKey { id: row.id, purpose, scope, generation: row.generation, reason }))
    }
}
