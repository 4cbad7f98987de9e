//! Tables that come into the ring's care, move from phase to phase, and go.

use std::collections::BTreeMap;

use strongroom_entity::{OWN_TABLES, SealedTable, own_table};
use strongroom_migration::Phase;

use super::{Manifest, ManifestError};
use crate::key::described::Described;

impl Manifest {
    /// Moves a table to another phase.
    pub(crate) fn set_phase(&mut self, table: &str, phase: Phase) {
        self.phases.insert(table.to_owned(), phase.as_str().to_owned());
    }

    /// Takes a table into the ring's care, or what it is like now. Fails where cells would no longer open, because it
    /// binds them to something else, and for a label that another column has: then nothing is changed.
    pub(crate) fn describe(&mut self, table: &SealedTable) -> Result<(), ManifestError> {
        let is_reserved = table.name.starts_with("strongroom_") || own_table(table.name).is_some();
        if is_reserved && own_table(table.name) != Some(table) {
            return Err(ManifestError::Ours(table.name));
        }
        for (place, column) in table.columns.iter().enumerate() {
            let twice =
                table.columns.iter().skip(place + 1).any(|other| other.label == column.label);
            let ours = OWN_TABLES.iter().filter(|own| own.name != table.name);
            let ours = ours.flat_map(|own| own.columns).any(|other| other.label == column.label);
            let mut others = self.tables.iter().filter(|(name, _)| *name != table.name);
            if twice || ours || others.any(|(_, other)| other.has_label(column.label)) {
                return Err(ManifestError::LabelTaken { table: table.name, label: column.label });
            }
        }
        let mut described = Described::new(table);
        if let Some(before) = self.tables.get(table.name) {
            if self.phase(table.name) != Some(Phase::Plain) && !before.binds_like(&described) {
                return Err(ManifestError::BoundOtherwise(table.name));
            }
            described.originals = before.originals.clone();
        }
        self.tables.insert(table.name.to_owned(), described);
        Ok(())
    }

    /// Forgets a table that is no more.
    pub(crate) fn forget(&mut self, table: &str) {
        self.tables.remove(table);
        self.phases.remove(table);
    }

    /// Writes down what the plaintext columns of a described table were like, before they are dropped.
    pub(crate) fn set_originals(&mut self, table: &str, originals: BTreeMap<String, String>) {
        if let Some(described) = self.tables.get_mut(table) {
            described.originals = originals;
        }
    }
}
