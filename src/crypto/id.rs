//! Identifiers of key rings and of keys. Cells and wrapped keys are bound to them.

use std::fmt;

use super::random::{NoRandomness, make_bytes};

/// The 16 random bytes that tell one database's key ring from another's. Bound into every cell.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RingId([u8; 16]);

impl RingId {
    /// A new one.
    pub fn make() -> Result<Self, NoRandomness> {
        make_bytes().map(Self)
    }

    /// The bytes, as they are bound into cells.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for RingId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for RingId {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl AsRef<[u8]> for RingId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// In hexadecimal.
impl fmt::Display for RingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingId({self})")
    }
}

/// The number of a key in its ring. An envelope's header has it; no two keys of a ring do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl KeyId {
    /// The key with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// As the header has it.
    pub fn to_be_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// From a header.
    pub fn from_be_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(bytes))
    }
}

/// As the database stores it.
impl From<KeyId> for i64 {
    fn from(id: KeyId) -> Self {
        id.0.into()
    }
}

impl TryFrom<i64> for KeyId {
    type Error = std::num::TryFromIntError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        u32::try_from(number).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
