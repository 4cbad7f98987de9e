//! Numbers of the manifest.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A version of all data keys: 1 is the first, and a roll forward makes the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u32);

impl Generation {
    /// That of a new ring.
    pub const FIRST: Self = Self(1);

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl From<u32> for Generation {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

/// As the database stores it.
impl TryFrom<i32> for Generation {
    type Error = std::num::TryFromIntError;

    fn try_from(number: i32) -> Result<Self, Self::Error> {
        u32::try_from(number).map(Self)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of changes of the manifest. It only grows, so an older copy of a database has a lower epoch; 0 means that
/// the database has no ring.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(i64);

impl Epoch {
    /// Without a ring.
    pub const NONE: Self = Self(0);
    /// That of a new ring.
    pub const FIRST: Self = Self(1);

    /// As the database stores it.
    pub fn number(self) -> i64 {
        self.0
    }

    /// That of the next change.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether it is more than this many changes after another.
    pub fn is_beyond(self, other: Self, changes: i64) -> bool {
        self.0 > other.0.saturating_add(changes)
    }
}

impl From<i64> for Epoch {
    fn from(number: i64) -> Self {
        Self(number)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
