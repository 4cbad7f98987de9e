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
