//! What each credential may be, by what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};

/// The secrets that a credential may have; `None` is a credential that is not there. More than one where nobody knows whether a
/// statement took effect.
#[derive(Default)]
pub struct Ledger(BTreeMap<String, BTreeSet<Option<String>>>);

impl Ledger {
    /// The database said yes.
    pub fn acknowledged(&mut self, id: &str, secret: Option<&str>) {
        self.0.insert(id.to_owned(), [secret.map(str::to_owned)].into());
    }

    /// The database said nothing, or the connection ended.
    pub fn unknown(&mut self, id: &str, secret: Option<&str>) {
        let may_be = self.0.entry(id.to_owned()).or_insert_with(|| [None].into());
        may_be.insert(secret.map(str::to_owned));
    }

    /// How many are certainly there.
    pub fn certain(&self) -> usize {
        self.0.values().filter(|may_be| !may_be.contains(&None)).count()
    }

    /// Compares with what is stored; a line for each difference.
    pub fn differences(&self, stored: &BTreeMap<String, String>) -> Vec<String> {
        let wrong =
            self.0.iter().filter(|(id, may_be)| !may_be.contains(&stored.get(*id).cloned()));
        let wrong = wrong.map(|(id, may_be)| format!("{id}: {:?}, not {may_be:?}", stored.get(id)));
        let strange = stored.keys().filter(|id| !self.0.contains_key(*id));
        wrong.chain(strange.map(|id| format!("{id}: nobody stored it"))).collect()
    }
}
