//! The manifest: how the ring stands, authenticated as one text.
//!
//! Without it, whoever can write to the database could flip a table's phase back to plaintext or
//! make a leaked key active again.

mod error;
mod generation;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_entity::SealedTable;
use strongroom_migration::Phase;

use super::described::Described;
use super::lineage::{FoundEpoch, Lineage};
use super::{Epoch, Generation};
use crate::crypto::NoRandomness;

pub use error::ManifestError;
pub use generation::{GenerationRecord, KeyState, Rolling};

/// Everything that the manifest says. Serialised as JSON; the exact bytes are authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Only grows.
    pub epoch: Epoch,
    /// The root that wraps this ring's keys, in hex.
    pub root_id: String,
    /// The generation that seals.
    pub active: Generation,
    /// A roll to the active generation that is not finished.
    pub rolling: Option<Rolling>,
    /// Every generation there was.
    pub generations: Vec<GenerationRecord>,
    /// Which columns count, by table.
    phases: BTreeMap<String, String>,
    /// Every table in the ring's care, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tables: BTreeMap<String, Described>,
    /// SHA-256 of the record of an adopted table, in hex: the record holds SQL that the way back runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adoption: Option<String>,
    /// Tells manifests of one line from those of another. A program that does not know it refuses the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lineage: Option<Lineage>,
}

impl Manifest {
    pub(super) fn new(root_id: String) -> Self {
        let first = GenerationRecord {
            generation: Generation::FIRST,
            state: KeyState::Active,
            made_from: None,
            wipe_after: None,
        };
        Self {
            epoch: Epoch::FIRST,
            root_id,
            active: Generation::FIRST,
            rolling: None,
            generations: vec![first],
            phases: BTreeMap::new(),
            tables: BTreeMap::new(),
            adoption: None,
            lineage: None,
        }
    }

    /// The state of a generation.
    pub fn state(&self, generation: Generation) -> Option<KeyState> {
        self.generations
            .iter()
            .find(|known| known.generation == generation)
            .map(|known| known.state)
    }

    /// Whether cells under a generation's keys may be opened.
    pub fn opens(&self, generation: Generation) -> bool {
        matches!(self.state(generation), Some(KeyState::Active | KeyState::DecryptOnly))
    }

    /// Closes a generation: from the next look at the manifest on, no program opens a cell under its keys. Does
    /// nothing to one that is closed or retired.
    pub fn close(&mut self, generation: Generation) -> Result<(), ManifestError> {
        self.close_known(generation)
    }

    /// The phase of a table; `Plain` for one that was never moved. `None` for a word from a newer program.
    pub fn phase(&self, table: &str) -> Option<Phase> {
        self.phases.get(table).map_or(Some(Phase::Plain), |word| Phase::parse(word))
    }

    /// Whether a table is in the ring's care, with cells or on the way there.
    pub fn describes(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// Whether the cells of a table are bound to what this description says, and none of its columns is unknown.
    pub fn binds(&self, table: &SealedTable) -> bool {
        match self.tables.get(table.name) {
            Some(described) => {
                let wanted = Described::new(table);
                described.binds_like(&wanted) && described.knows_columns_of(&wanted)
            }
            None => false,
        }
    }

    /// What a table's description differs in from the one in the manifest, column by column. Empty where [`Manifest::binds`].
    pub(crate) fn differences(&self, table: &SealedTable) -> Vec<String> {
        self.tables
            .get(table.name)
            .map(|described| described.differences(&Described::new(table)))
            .unwrap_or_default()
    }

    /// What a plaintext column of a described table was like before it was dropped, as whoever dropped it wrote it down.
    pub fn originals(&self, table: &str) -> BTreeMap<String, String> {
        self.tables.get(table).map(|described| described.originals.clone()).unwrap_or_default()
    }

    /// Returns the digest of the record of an adopted table.
    pub(crate) fn adoption(&self) -> Option<&str> {
        self.adoption.as_deref()
    }

    pub(crate) fn set_adoption(&mut self, digest: Option<String>) {
        self.adoption = digest;
    }

    /// Begins to carry the marks of its epochs, or ceases to.
    pub(crate) fn set_lineage(&mut self, carried: bool) {
        self.lineage =
            self.lineage.take().filter(|_| carried).or_else(|| carried.then(Lineage::begin));
    }

    /// Returns its epoch and the marks that it carries.
    pub(super) fn found(&self) -> FoundEpoch<'_> {
        FoundEpoch { epoch: self.epoch, lineage: self.lineage.as_ref() }
    }

    /// Becomes the manifest of the next epoch.
    pub(super) fn advance(&mut self, before: Epoch) -> Result<(), NoRandomness> {
        self.epoch = before.next();
        self.lineage.as_mut().map_or(Ok(()), Lineage::advance)
    }

    /// Returns whether a table has a phase and no description, as no version since 0.1.0 writes it.
    pub(super) fn lacks_descriptions(&self) -> bool {
        self.phases.keys().any(|table| !self.tables.contains_key(table))
    }

    /// Returns the tables in the ring's care whose plaintext counts.
    pub(crate) fn plain_tables(&self) -> Vec<&'static SealedTable> {
        let plain = self.tables.iter().filter(|(name, _)| self.phase(name) == Some(Phase::Plain));
        plain.map(|(name, described)| described.table(name)).collect()
    }

    /// Every table that has cells, and its phase. `None` when one is in a phase, or of a kind, that a newer program knows.
    pub fn sealed_tables(&self) -> Option<Vec<(&'static SealedTable, Phase)>> {
        let mut found = Vec::new();
        for name in self.phases.keys() {
            let phase = self.phase(name)?;
            let table = match self.tables.get(name) {
                Some(described) => described.table(name),
                None => return None,
            };
            found.extend((phase != Phase::Plain).then_some((table, phase)));
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The manifest of a version before 0.1.0 named the phase of `credential` and described no table.
    #[test]
    fn phase_without_description_is_recognised() {
        let mut manifest = Manifest::new("root".to_owned());
        assert!(!manifest.lacks_descriptions(), "a new ring");
        manifest.set_phase("credential", Phase::Sealed);
        assert!(manifest.lacks_descriptions());
        manifest.describe(strongroom_entity::credential::TABLE).unwrap();
        assert!(!manifest.lacks_descriptions(), "sealed by this version");
    }
}
