//! The roots that a program holds.

use super::RingError;
use crate::crypto::RootKey;

/// The root of the configuration and, while a rewrap is under way, the one that comes after it or came
/// before. The manifest names the root that a ring needs; none is found by trying.
pub struct Roots {
    current: RootKey,
    next: Option<RootKey>,
}

impl From<RootKey> for Roots {
    fn from(current: RootKey) -> Self {
        Self { current, next: None }
    }
}

impl Roots {
    /// Holds another root as well.
    #[must_use]
    pub fn with_next(self, next: RootKey) -> Self {
        Self { next: Some(next), ..self }
    }

    /// The root that a new ring is made under.
    pub fn current(&self) -> &RootKey {
        &self.current
    }

    /// The root with this id, in hex.
    pub fn find(&self, id: &str) -> Result<&RootKey, RingError> {
        let held = std::iter::once(&self.current)
            .chain(&self.next)
            .find(|root| hex::encode(root.id()) == id);
        held.ok_or_else(|| RingError::WrongRoot {
            wanted: id.chars().take(32).collect(),
            given: hex::encode(self.current.id()),
        })
    }
}
