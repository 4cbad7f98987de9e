//! The history of a ring's manifests, as far as each of them carries it.
//!
//! A database that loses its last commits in a failover, and goes on, reaches the same epochs again with other contents. So
//! each change of the manifest adds a random mark, and a manifest carries the marks of the last epochs. A program that has
//! seen an epoch with its mark can tell whether a later manifest descends from it.
//!
//! Does not promise: anything about an epoch that is more than [`KEPT`] changes behind, or that was seen without a mark.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Epoch;
use crate::crypto::{NoRandomness, make_bytes};

/// Epochs before its own whose marks a manifest carries.
pub(super) const KEPT: usize = 32;

/// The random mark of one epoch of one line of a ring's manifests, in hex.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct EpochMark(String);

impl EpochMark {
    fn make() -> Result<Self, NoRandomness> {
        Ok(Self(hex::encode(make_bytes::<16>()?)))
    }
}

impl fmt::Debug for EpochMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochMark({})", self.0)
    }
}

/// The marks of the last epochs, the manifest's own first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Lineage(Vec<EpochMark>);

impl Lineage {
    /// Begins with no epoch. The next change adds its own.
    pub(super) fn begin() -> Self {
        Self(Vec::new())
    }

    /// Adds the mark of the next epoch.
    pub(super) fn advance(&mut self) -> Result<(), NoRandomness> {
        self.0.insert(0, EpochMark::make()?);
        self.0.truncate(KEPT + 1);
        Ok(())
    }

    /// Returns the mark of the manifest that carries this.
    fn own(&self) -> Option<&EpochMark> {
        self.0.first()
    }
}

/// An epoch that was seen, and its mark where its manifest had one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenEpoch {
    pub(super) epoch: Epoch,
    pub(super) mark: Option<EpochMark>,
}

/// The relation of a manifest to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Descent {
    /// It is the same or a later one.
    Follows,
    /// It is an earlier one.
    Older,
    /// Its epoch is not lower, and its line is another.
    Diverged,
}

/// The epoch of a manifest and the marks that it carries. An unauthenticated row has no marks.
#[derive(Debug, Clone)]
pub(super) struct FoundEpoch<'a> {
    pub(super) epoch: Epoch,
    pub(super) lineage: Option<&'a Lineage>,
}

impl FoundEpoch<'_> {
    /// Returns what is to be remembered of it.
    pub(super) fn seen(&self) -> SeenEpoch {
        let mark = self.lineage.and_then(Lineage::own).cloned();
        SeenEpoch { epoch: self.epoch, mark }
    }

    /// Compares it with an epoch that was seen. Where the marks do not reach back, the epoch alone decides.
    pub(super) fn descent_from(&self, seen: &SeenEpoch) -> Descent {
        let Ok(changes) = usize::try_from(self.epoch.number() - seen.epoch.number()) else {
            return Descent::Older;
        };
        let carried = self.lineage.and_then(|lineage| lineage.0.get(changes));
        match (carried, &seen.mark) {
            (Some(carried), Some(mark)) if carried != mark => Descent::Diverged,
            _ => Descent::Follows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of manifests, from epoch 1 on.
    #[derive(Clone)]
    struct Line(i64, Lineage);

    impl Line {
        fn new() -> Self {
            let mut lineage = Lineage::begin();
            lineage.advance().unwrap();
            Self(1, lineage)
        }

        fn after(&self, changes: usize) -> Self {
            let mut next = self.clone();
            for _ in 0..changes {
                next.0 += 1;
                next.1.advance().unwrap();
            }
            next
        }

        fn found(&self) -> FoundEpoch<'_> {
            FoundEpoch { epoch: self.0.into(), lineage: Some(&self.1) }
        }
    }

    #[test]
    fn later_manifest_of_the_same_line_follows() {
        let line = Line::new();
        for changes in [0, 1, KEPT, KEPT + 1, 3 * KEPT] {
            assert_eq!(
                line.after(changes).found().descent_from(&line.found().seen()),
                Descent::Follows
            );
        }
    }

    #[test]
    fn manifest_of_another_line_is_told_within_the_marks_that_it_carries() {
        let shared = Line::new().after(4);
        let (lost, other) = (shared.after(2), shared.after(2));
        assert_eq!(shared.found().descent_from(&lost.found().seen()), Descent::Older);
        for changes in [0, 1, KEPT] {
            let later = other.after(changes);
            assert_eq!(later.found().descent_from(&lost.found().seen()), Descent::Diverged);
            assert_eq!(later.found().descent_from(&shared.found().seen()), Descent::Follows);
        }
        let far = other.after(KEPT + 1);
        assert_eq!(far.found().descent_from(&lost.found().seen()), Descent::Follows);
    }

    #[test]
    fn epoch_without_a_mark_is_compared_by_its_number() {
        let line = Line::new().after(3);
        let seen = |epoch: i64| SeenEpoch { epoch: epoch.into(), mark: None };
        assert_eq!(line.found().descent_from(&seen(4)), Descent::Follows);
        assert_eq!(line.found().descent_from(&seen(5)), Descent::Older);
        let bare = FoundEpoch { epoch: 5.into(), lineage: None };
        assert_eq!(bare.descent_from(&line.found().seen()), Descent::Follows);
    }
}
