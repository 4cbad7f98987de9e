//! One line of the epoch file: a database, its ring, and the highest epoch that this host has seen.

use serde::{Deserialize, Serialize};

use crate::crypto::{ManifestKey, RingId, epoch_mac, verify_epoch_mac};
use crate::key::Epoch;
use crate::key::lineage::{EpochMark, SeenEpoch};

/// A line, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// Its address without the login.
    pub(super) database: String,
    /// In hex; none while this host's own `migrate` makes the ring.
    pub(super) ring: Option<String>,
    pub(super) epoch: Epoch,
    /// The mark of that epoch, where the manifest had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<EpochMark>,
    /// Names the operator's last acceptance of an older manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) accepted: Option<String>,
    /// This host's own `migrate` is making or dropping the ring.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) changing: bool,
    /// The authentication code under the ring's manifest key, in hex.
    pub(super) code: String,
}

impl Line {
    /// A line of a ring, authenticated.
    pub(super) fn of(database: &str, ring: &RingId, seen: SeenEpoch, key: &ManifestKey) -> Self {
        let SeenEpoch { epoch, mark } = seen;
        let bare = Self { ring: Some(hex::encode(ring)), epoch, mark, ..Self::making(database) };
        Self { changing: false, ..bare }.signed(ring, key)
    }

    /// A line of a database whose ring is about to be made.
    pub(super) fn making(database: &str) -> Self {
        Self {
            database: database.to_owned(),
            ring: None,
            epoch: Epoch::NONE,
            mark: None,
            accepted: None,
            changing: true,
            code: String::new(),
        }
    }

    /// The same line with the code that fits it.
    pub(super) fn signed(mut self, ring: &RingId, key: &ManifestKey) -> Self {
        self.code = hex::encode(epoch_mac(key, ring, &self.body()));
        self
    }

    /// Whether a holder of the ring's keys wrote it.
    pub(super) fn verifies(&self, ring: &RingId, key: &ManifestKey) -> bool {
        hex::decode(&self.code).is_ok_and(|code| verify_epoch_mac(key, ring, &self.body(), &code))
    }

    /// Whether this is the ring that the line names.
    pub(super) fn names(&self, ring: &RingId) -> bool {
        self.ring.as_deref() == Some(hex::encode(ring).as_str())
    }

    /// Whether the database may have this ring: the one that is named, or any while this host's own `migrate` changes it.
    pub(super) fn admits(&self, ring: &RingId) -> bool {
        self.changing || self.names(ring)
    }

    /// Whether something later was seen, or the same with its mark.
    pub(super) fn is_below(&self, seen: &SeenEpoch) -> bool {
        self.epoch < seen.epoch
            || (self.epoch == seen.epoch && self.mark.is_none() && seen.mark.is_some())
    }

    /// Returns the epoch and the mark that the line remembers.
    pub(super) fn seen(&self) -> SeenEpoch {
        SeenEpoch { epoch: self.epoch, mark: self.mark.clone() }
    }

    fn body(&self) -> Vec<u8> {
        let bare = Self { code: String::new(), ..self.clone() };
        serde_json::to_vec(&bare).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_does_not_verify() {
        let (key, other) = (ManifestKey::make().unwrap(), ManifestKey::make().unwrap());
        let ring = RingId::make().unwrap();
        let seen = SeenEpoch { epoch: Epoch::from(7), mark: None };
        let line = Line::of("sqlite:///var/lib/db", &ring, seen, &key);
        assert!(line.verifies(&ring, &key) && line.admits(&ring));
        assert!(!line.verifies(&ring, &other));
        for changed in [
            Line { epoch: Epoch::from(6), ..line.clone() },
            Line { database: "sqlite:///var/lib/other".into(), ..line.clone() },
            Line { changing: true, ..line.clone() },
            Line { accepted: Some("00".into()), ..line.clone() },
        ] {
            assert!(!changed.verifies(&ring, &key), "{changed:?}");
        }
    }

    #[test]
    fn a_ring_in_the_making_may_be_any() {
        let ring = RingId::make().unwrap();
        assert!(Line::making("db").admits(&ring));
        assert!(!Line { changing: false, ..Line::making("db") }.admits(&ring));
    }
}
