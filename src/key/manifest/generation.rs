//! Generations of data keys: rolls forward and back, and how one ends.

use serde::{Deserialize, Serialize};

use super::{Manifest, ManifestError};
use crate::key::Generation;

/// The direction of a roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rolling {
    /// To a new generation.
    Forward,
    /// To the generation that the one before was made from.
    Back,
}

/// What the manifest says of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationRecord {
    /// Its number.
    pub generation: Generation,
    /// What its keys may do.
    pub state: KeyState,
    /// The generation that was active when this one was made; where a roll back leads.
    pub made_from: Option<Generation>,
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

impl Manifest {
    /// Makes the next generation active, unless a roll forward is unfinished: that one goes on.
    pub(crate) fn roll_forward(&mut self) -> Result<(), ManifestError> {
        match self.rolling {
            Some(Rolling::Forward) => return Ok(()),
            Some(Rolling::Back) => return Err(ManifestError::RollingBack(self.active)),
            None => {}
        }
        let newest = self.generations.iter().map(|known| known.generation).max();
        let next = newest.map_or(Generation::FIRST, Generation::next);
        let made_from = Some(self.active);
        self.generations.push(GenerationRecord {
            generation: next,
            state: KeyState::DecryptOnly,
            made_from,
            wipe_after: None,
        });
        self.activate(next, Rolling::Forward);
        Ok(())
    }

    /// Makes the generation active that the present one was made from. An unfinished roll back goes
    /// on; an unfinished roll forward is turned round.
    pub(crate) fn roll_back(&mut self) -> Result<(), ManifestError> {
        if self.rolling == Some(Rolling::Back) {
            return Ok(());
        }
        let before =
            self.made_from(self.active).ok_or(ManifestError::NothingBefore(self.active))?;
        if self.state(before) != Some(KeyState::DecryptOnly) {
            return Err(ManifestError::Closed(before));
        }
        self.activate(before, Rolling::Back);
        Ok(())
    }

    /// See [`Manifest::close`].
    pub(super) fn close_known(&mut self, generation: Generation) -> Result<(), ManifestError> {
        let in_use = self.rolling.is_some() || self.active == generation;
        let known = self.known(generation)?;
        match known.state {
            KeyState::Closed | KeyState::Retired => Ok(()),
            KeyState::Active | KeyState::DecryptOnly if in_use => {
                Err(ManifestError::InUse(generation))
            }
            KeyState::Active | KeyState::DecryptOnly => {
                known.state = KeyState::Closed;
                Ok(())
            }
        }
    }

    /// Opens a closed or retired generation again: cells turned out to need it. Its keys must not be wiped.
    pub(crate) fn reopen(&mut self, generation: Generation) -> Result<(), ManifestError> {
        let known = self.known(generation)?;
        if matches!(known.state, KeyState::Closed | KeyState::Retired) {
            known.state = KeyState::DecryptOnly;
            known.wipe_after = None;
        }
        Ok(())
    }

    /// Retires a closed generation, for good.
    pub(crate) fn retire(
        &mut self,
        generation: Generation,
        wipe_after: i64,
    ) -> Result<(), ManifestError> {
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

    fn known(&mut self, generation: Generation) -> Result<&mut GenerationRecord, ManifestError> {
        let known = self.generations.iter_mut().find(|known| known.generation == generation);
        known.ok_or(ManifestError::Unknown(generation))
    }

    fn made_from(&self, generation: Generation) -> Option<Generation> {
        self.generations.iter().find(|known| known.generation == generation)?.made_from
    }

    fn activate(&mut self, generation: Generation, rolling: Rolling) {
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

    fn number(number: u32) -> Generation {
        number.into()
    }

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
        assert_eq!(at(&["forward"]).active, number(2));
        assert_eq!(at(&["forward", "back"]).active, number(1));
        assert_eq!(at(&["forward", "back", "forward"]).active, number(3));
        assert_eq!(at(&["forward", "back", "forward", "back"]).active, number(1));
        assert_eq!(at(&["forward", "forward", "back", "back"]).active, number(1));
    }

    #[test]
    fn there_is_no_way_back_from_the_first() {
        assert_eq!(at(&[]).roll_back(), Err(ManifestError::NothingBefore(number(1))));
        assert_eq!(
            at(&["forward", "back"]).roll_back(),
            Err(ManifestError::NothingBefore(number(1)))
        );
    }

    #[test]
    fn an_unfinished_roll_goes_on_and_is_not_doubled() {
        let mut manifest = at(&[]);
        manifest.roll_forward().unwrap();
        manifest.roll_forward().unwrap();
        assert_eq!((manifest.active, manifest.generations.len()), (number(2), 2));
        manifest.roll_back().unwrap();
        manifest.roll_back().unwrap();
        assert_eq!(manifest.active, number(1));
        assert_eq!(manifest.roll_forward(), Err(ManifestError::RollingBack(number(1))));
    }

    #[test]
    fn a_generation_in_use_is_not_closed() {
        let mut manifest = at(&["forward"]);
        assert_eq!(manifest.close(number(2)), Err(ManifestError::InUse(number(2))));
        assert_eq!(manifest.close(number(3)), Err(ManifestError::Unknown(number(3))));
        manifest.roll_forward().unwrap();
        assert_eq!(
            manifest.close(number(1)),
            Err(ManifestError::InUse(number(1))),
            "a roll is unfinished"
        );
        let mut manifest = finished(manifest);
        assert_eq!(
            manifest.retire(number(1), 0),
            Err(ManifestError::InUse(number(1))),
            "not closed"
        );
        manifest.close(number(1)).unwrap();
        manifest.retire(number(1), 7).unwrap();
        assert_eq!(
            (manifest.state(number(1)), manifest.opens(number(1))),
            (Some(KeyState::Retired), false)
        );
        manifest.reopen(number(1)).unwrap();
        assert_eq!(
            (manifest.state(number(1)), manifest.opens(number(1))),
            (Some(KeyState::DecryptOnly), true),
            "a cell came back"
        );
    }

    #[test]
    fn exactly_one_generation_is_active() {
        let manifest = at(&["forward", "forward", "back", "forward"]);
        let active: Vec<_> =
            manifest.generations.iter().filter(|known| known.state == KeyState::Active).collect();
        assert_eq!(active.len(), 1);
        assert_eq!(active[0].generation, manifest.active);
    }
}
