//! Making a scope's data key when it is first needed.

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::Ring;
use crate::key::key_rows::{self, Wanted};
use crate::key::{Generation, RingError};

/// How often programs that use the same scopes for the first time may meet.
const ATTEMPTS: u64 = 20;

impl Ring {
    /// See [`Ring::prepare`].
    pub(super) async fn make_missing(
        &self,
        db: &impl ConnectionTrait,
        scopes: &BTreeSet<String>,
    ) -> Result<(), RingError> {
        for attempt in 0..ATTEMPTS {
            let (missing, generation) = self.missing(scopes);
            if missing.is_empty() {
                return Ok(());
            }
            let wanted = || missing.iter().map(|scope| (*scope).to_owned()).collect();
            self.fetch(db, Wanted::Scopes(generation, wanted())).await?;
            let (missing, _) = self.missing(scopes);
            if missing.is_empty() {
                return Ok(());
            }
            let root_id = self.manifest().root_id;
            let made = key_rows::make_data_keys(
                db,
                self.access.roots().find(&root_id)?,
                &self.id(),
                generation,
                &missing,
            )
            .await?;
            let changed_root = (!made || attempt > 0) && self.has_changed_root(db).await?;
            if !made && !changed_root {
                // Another program was quicker, or the key that is there does not unwrap.
                return self
                    .fetch(
                        db,
                        Wanted::Scopes(
                            generation,
                            missing.iter().map(|scope| (*scope).to_owned()).collect(),
                        ),
                    )
                    .await;
            }
            tokio::time::sleep(Duration::from_millis(attempt * 5)).await;
        }
        self.fetch(db, Wanted::Scopes(self.active(), scopes.iter().cloned().collect())).await?;
        let (missing, _) = self.missing(scopes);
        if missing.is_empty() { Ok(()) } else { Err(RingError::Raced) }
    }

    pub(super) fn missing<'a>(&self, scopes: &'a BTreeSet<String>) -> (Vec<&'a str>, Generation) {
        let state = self.read();
        let active = state.manifest.active;
        let missing = scopes.iter().filter(|scope| state.key_of(scope, active).is_none());
        (missing.map(String::as_str).collect(), active)
    }
}
