//! What accounts and view schemas are called. Names are global to a server: a prefix keeps databases apart.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::crypto::RingId;

/// One of a component's two logins. One is in use; the other stands by, or takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// `_a`
    A,
    /// `_b`
    B,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The letter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// The slot that a letter names.
    pub fn parse(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.as_str() == letter)
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The names of one database's accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// Names under a prefix of the ring's own: two rings do not meet, and a restored copy of one meets itself,
    /// which inspection notices.
    pub fn of_ring(ring: &RingId) -> Self {
        Self {
            prefix: format!("sr_{}_", hex::encode(ring.as_bytes().get(..4).unwrap_or_default())),
        }
    }

    /// Names under a prefix that was chosen; `None` for one that begins with `sr_`, or is not `[a-z][a-z0-9_]{0,10}_`: with a component of 18
    /// characters and a slot, MySQL's 32 are full.
    pub fn with_prefix(prefix: &str) -> Option<Self> {
        let plain =
            prefix.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        // What rings make of themselves stays theirs: one prefix must not be the beginning of another.
        let fits = !prefix.starts_with("sr_")
            && plain
            && prefix.len() <= 12
            && prefix.ends_with('_')
            && prefix.starts_with(|c: char| c.is_ascii_lowercase());
        fits.then(|| Self { prefix: prefix.to_owned() })
    }

    /// What every name begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The role that holds a component's rights.
    #[doc(hidden)]
    pub fn role(&self, component: &str) -> String {
        format!("{}{component}", self.prefix)
    }

    /// One of its logins.
    #[doc(hidden)]
    pub fn login(&self, component: &str, slot: Slot) -> String {
        format!("{}{component}_{slot}", self.prefix)
    }

    /// The schema with its views, where it has one.
    #[doc(hidden)]
    pub fn view_schema(&self, component: &str) -> String {
        self.role(component)
    }

    /// The component and slot of a login.
    pub(crate) fn parse_login<'a>(&self, account: &'a str) -> Option<(&'a str, Slot)> {
        let (component, slot) = account.strip_prefix(&self.prefix)?.rsplit_once('_')?;
        Some((component, Slot::parse(slot)?))
    }
}
