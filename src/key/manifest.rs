//! The manifest: how the ring stands, authenticated as one text.
//!
//! Without it, whoever can write to the database could flip a table's phase back to plaintext or
//! make a leaked key active again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_entity::{SealedTable, credential};
use strongroom_migration::Phase;

use super::described::Described;

/// Everything that the manifest says. Serialised as JSON; the exact bytes are authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Only grows.
    pub epoch: i64,
    /// The root that wraps this ring's keys, in hex.
    pub root_id: String,
    /// The generation that seals.
    pub active: u32,
    /// A roll to the active generation that is not finished.
    pub rolling: Option<Rolling>,
    /// Every generation there was.
    pub generations: Vec<Generation>,
    /// Which columns count, by table.
    phases: BTreeMap<String, String>,
    /// Tables that programs brought along, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tables: BTreeMap<String, Described>,
}

/// The direction of a roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rolling {
    /// To a new generation.
    Forward,
    /// To the generation that the one before was made from.
    Back,
}

/// A key generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// 1, 2, …
    pub generation: u32,
    /// What its keys may do.
    pub state: KeyState,
    /// The generation that was active when this one was made; where a roll back leads.
    pub made_from: Option<u32>,
    /// From when on the keys of a retired generation may be wiped: milliseconds since 1970 by the database's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wipe_after: Option<i64>,
}

/// What the keys of a generation may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Seal and open.
    Active,
    /// Open only.
    DecryptOnly,
    /// Neither: the generation is being retired.
    Closed,
    /// Gone.
    Retired,
}

/// Why the ring refuses to roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The active generation is the first.
    #[error("there is no generation to go back to from generation {0}")]
    NothingBefore(u32),
    /// The way back is barred.
    #[error("generation {0} is closed or retired: there is no way back to it")]
    Closed(u32),
    /// A roll in the other direction is unfinished.
    #[error("a roll back to generation {0} is unfinished")]
    RollingBack(u32),
    /// No such generation.
    #[error("there is no generation {0}")]
    Unknown(u32),
    /// It seals, or a roll is under way that may still need it.
    #[error("generation {0} is in use: it is active, or a roll is unfinished")]
    InUse(u32),
    /// Cells that are there would no longer open.
    #[error("table `{0}` binds its cells to something else than it did: bring it to its plaintext first")]
    BoundOtherwise(&'static str),
    /// Two columns would share their keys, and a cell of one would open in the other.
    #[error("the label `{label}` is that of another sealed column: give the column of `{table}` one of its own")]
    LabelTaken {
        /// The table that asks for it.
        table: &'static str,
        /// The label.
        label: &'static str,
    },
    /// Strongroom's own.
    #[error("table `{0}` is Strongroom's own")]
    Ours(&'static str),
}

impl Manifest {
    pub(super) fn new(root_id: String) -> Self {
        let first = Generation { generation: 1, state: KeyState::Active, made_from: None, wipe_after: None };
        Self {
            epoch: 1,
            root_id,
            active: 1,
            rolling: None,
            generations: vec![first],
            phases: BTreeMap::new(),
            tables: BTreeMap::new(),
        }
    }

    /// The phase of a table; `Plain` for one that was never moved. `None` for a word from a newer program.
    pub fn phase(&self, table: &str) -> Option<Phase> {
        self.phases.get(table).map_or(Some(Phase::Plain), |word| Phase::parse(word))
    }

    /// Moves a table to another phase.
    pub(crate) fn set_phase(&mut self, table: &str, phase: Phase) {
        self.phases.insert(table.to_owned(), phase.as_str().to_owned());
    }

    /// Takes a table into the ring's care, or what it is like now. Fails where cells would no longer open, because it
    /// binds them to something else, and for a label that another column has: then nothing is changed.
    pub(crate) fn describe(&mut self, table: &SealedTable) -> Result<(), ManifestError> {
        if table.name == credential::TABLE.name || table.name.starts_with("strongroom_") {
            return Err(ManifestError::Ours(table.name));
        }
        for (place, column) in table.columns.iter().enumerate() {
            let twice = table.columns.iter().skip(place + 1).any(|other| other.label == column.label);
            let ours = credential::TABLE.columns.iter().any(|other| other.label == column.label);
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
            described.former = before.former.clone();
        }
        self.tables.insert(table.name.to_owned(), described);
        Ok(())
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
            None => table == credential::TABLE,
        }
    }

    /// Forgets a table that is no more.
    pub(crate) fn forget(&mut self, table: &str) {
        self.tables.remove(table);
        self.phases.remove(table);
    }

    /// What a plaintext column of a described table was like before it was dropped, as whoever dropped it wrote it down.
    pub fn former(&self, table: &str) -> BTreeMap<String, String> {
        self.tables.get(table).map(|described| described.former.clone()).unwrap_or_default()
    }

    /// Writes that down.
    pub(crate) fn set_former(&mut self, table: &str, former: BTreeMap<String, String>) {
        if let Some(described) = self.tables.get_mut(table) {
            described.former = former;
        }
    }

    /// Every table that has cells, and its phase. `None` when one is in a phase, or of a kind, that a newer program knows.
    pub fn sealed_tables(&self) -> Option<Vec<(&'static SealedTable, Phase)>> {
        let mut found = Vec::new();
        for name in self.phases.keys() {
            let phase = self.phase(name)?;
            let table = match self.tables.get(name) {
                Some(described) => described.table(name),
                None if name == credential::TABLE.name => credential::TABLE,
                None => return None,
            };
            found.extend((phase != Phase::Plain).then_some((table, phase)));
        }
        Some(found)
    }

    /// Makes the next generation active, unless a roll forward is unfinished: that one goes on.
    pub(crate) fn roll_forward(&mut self) -> Result<(), ManifestError> {
        match self.rolling {
            Some(Rolling::Forward) => return Ok(()),
            Some(Rolling::Back) => return Err(ManifestError::RollingBack(self.active)),
            None => {}
        }
        let newest = self.generations.iter().map(|known| known.generation).max().unwrap_or(0);
        let made_from = Some(self.active);
        self.generations.push(Generation { generation: newest + 1, state: KeyState::DecryptOnly, made_from, wipe_after: None });
        self.activate(newest + 1, Rolling::Forward);
        Ok(())
    }

    /// Makes the generation active that the present one was made from. An unfinished roll back goes
    /// on; an unfinished roll forward is turned round.
    pub(crate) fn roll_back(&mut self) -> Result<(), ManifestError> {
        if self.rolling == Some(Rolling::Back) {
            return Ok(());
        }
        let before = self.made_from(self.active).ok_or(ManifestError::NothingBefore(self.active))?;
        if self.state(before) != Some(KeyState::DecryptOnly) {
            return Err(ManifestError::Closed(before));
        }
        self.activate(before, Rolling::Back);
        Ok(())
    }

    /// Closes a generation: from the next look at the manifest on, no program opens a cell under its keys. Does
    /// nothing to one that is closed or retired.
    pub fn close(&mut self, generation: u32) -> Result<(), ManifestError> {
        let in_use = self.rolling.is_some() || self.active == generation;
        let known = self.known(generation)?;
        match known.state {
            KeyState::Closed | KeyState::Retired => Ok(()),
            KeyState::Active | KeyState::DecryptOnly if in_use => Err(ManifestError::InUse(generation)),
            KeyState::Active | KeyState::DecryptOnly => {
                known.state = KeyState::Closed;
                Ok(())
            }
        }
    }

    /// Opens a closed or retired generation again: cells turned out to need it. Its keys must not be wiped.
    pub(crate) fn reopen(&mut self, generation: u32) -> Result<(), ManifestError> {
        let known = self.known(generation)?;
        if matches!(known.state, KeyState::Closed | KeyState::Retired) {
            known.state = KeyState::DecryptOnly;
            known.wipe_after = None;
        }
        Ok(())
    }

    /// Retires a closed generation, for good.
    pub(crate) fn retire(&mut self, generation: u32, wipe_after: i64) -> Result<(), ManifestError> {
        let known = self.known(generation)?;
        match known.state {
            KeyState::Closed => {
                known.state = KeyState::Retired;
                known.wipe_after = Some(wipe_after);
                Ok(())
            }
            KeyState::Retired => Ok(()),
            KeyState::Active | KeyState::DecryptOnly => Err(ManifestError::InUse(generation)),
        }
    }

    /// Whether cells under a generation's keys may be opened.
    pub fn opens(&self, generation: u32) -> bool {
        matches!(self.state(generation), Some(KeyState::Active | KeyState::DecryptOnly))
    }

    fn known(&mut self, generation: u32) -> Result<&mut Generation, ManifestError> {
        let known = self.generations.iter_mut().find(|known| known.generation == generation);
        known.ok_or(ManifestError::Unknown(generation))
    }

    /// The state of a generation.
    pub fn state(&self, generation: u32) -> Option<KeyState> {
        self.generations.iter().find(|known| known.generation == generation).map(|known| known.state)
    }

    fn made_from(&self, generation: u32) -> Option<u32> {
        self.generations.iter().find(|known| known.generation == generation)?.made_from
    }

    fn activate(&mut self, generation: u32, rolling: Rolling) {
        for known in &mut self.generations {
            if known.generation == generation {
                known.state = KeyState::Active;
            } else if known.state == KeyState::Active {
                known.state = KeyState::DecryptOnly;
            }
        }
        self.active = generation;
        self.rolling = Some(rolling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(mut manifest: Manifest) -> Manifest {
        manifest.rolling = None;
        manifest
    }

    fn at(rolls: &[&str]) -> Manifest {
        let mut manifest = Manifest::new(String::new());
        for roll in rolls {
            match *roll {
                "forward" => manifest.roll_forward().unwrap(),
                _ => manifest.roll_back().unwrap(),
            }
            manifest = finished(manifest);
        }
        manifest
    }

    #[test]
    fn generations_only_grow_and_the_way_back_is_the_way_come() {
        assert_eq!(at(&["forward"]).active, 2);
        assert_eq!(at(&["forward", "back"]).active, 1);
        assert_eq!(at(&["forward", "back", "forward"]).active, 3);
        assert_eq!(at(&["forward", "back", "forward", "back"]).active, 1);
        assert_eq!(at(&["forward", "forward", "back", "back"]).active, 1);
    }

    #[test]
    fn there_is_no_way_back_from_the_first() {
        assert_eq!(at(&[]).roll_back(), Err(ManifestError::NothingBefore(1)));
        assert_eq!(at(&["forward", "back"]).roll_back(), Err(ManifestError::NothingBefore(1)));
    }

    #[test]
    fn an_unfinished_roll_goes_on_and_is_not_doubled() {
        let mut manifest = at(&[]);
        manifest.roll_forward().unwrap();
        manifest.roll_forward().unwrap();
        assert_eq!((manifest.active, manifest.generations.len()), (2, 2));
        manifest.roll_back().unwrap();
        manifest.roll_back().unwrap();
        assert_eq!(manifest.active, 1);
        assert_eq!(manifest.roll_forward(), Err(ManifestError::RollingBack(1)));
    }

    #[test]
    fn a_generation_in_use_is_not_closed() {
        let mut manifest = at(&["forward"]);
        assert_eq!(manifest.close(2), Err(ManifestError::InUse(2)));
        assert_eq!(manifest.close(3), Err(ManifestError::Unknown(3)));
        manifest.roll_forward().unwrap();
        assert_eq!(manifest.close(1), Err(ManifestError::InUse(1)), "a roll is unfinished");
        let mut manifest = finished(manifest);
        assert_eq!(manifest.retire(1, 0), Err(ManifestError::InUse(1)), "not closed");
        manifest.close(1).unwrap();
        manifest.retire(1, 7).unwrap();
        assert_eq!((manifest.state(1), manifest.opens(1)), (Some(KeyState::Retired), false));
        manifest.reopen(1).unwrap();
        assert_eq!((manifest.state(1), manifest.opens(1)), (Some(KeyState::DecryptOnly), true), "a cell came back");
    }

    #[test]
    fn exactly_one_generation_is_active() {
        let manifest = at(&["forward", "forward", "back", "forward"]);
        let active: Vec<_> = manifest.generations.iter().filter(|known| known.state == KeyState::Active).collect();
        assert_eq!(active.len(), 1);
        assert_eq!(active[0].generation, manifest.active);
    }
}
