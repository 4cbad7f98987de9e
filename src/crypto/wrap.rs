//! Wrapping the ring's keys under the root: the construction of a cell, with labels of its own.
//!
//! ```text
//! wrapping key = HKDF-Extract("strongroom/root-key/1" | ring id | u16 len | "strongroom.key", root)
//! okm          = HKDF-Expand(wrapping key, "strongroom/wrap/1" | header[0..8] | salt | context)
//! context      = SHA-256(TLV("strongroom/wrap-context/1"), "ring", "id", "purpose", "scope", "generation")
//! ```
//! The key id in the header is the id of the wrapped key itself.

use super::cell::{UseLabel, open_with, seal_with};
use super::context::{List, Value};
use super::key::RingKey;
use super::random::make_bytes;
use super::{Context, KeyId, OpenError, RingId, RootKey, SealError};

const WRAP: UseLabel = UseLabel::new(b"strongroom/wrap/1");

/// What a key of the ring is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Seals cells.
    Data,
    /// Makes blind indexes.
    Index,
    /// Authenticates the manifest.
    Manifest,
    /// Not a key: the password of a component's database login.
    Login,
}

impl Purpose {
    /// The word that stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Index => "index",
            Self::Manifest => "manifest",
            Self::Login => "login",
        }
    }

    /// The purpose that a word of the database names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Data, Self::Index, Self::Manifest]
            .into_iter()
            .find(|purpose| purpose.as_str() == word)
    }
}

/// Everything that is authenticated about a wrapped key. Altering any of it makes the key unusable.
#[derive(Debug, Clone, Copy)]
pub struct WrappedKeyLabel<'a> {
    /// The ring that the key belongs to.
    pub ring: &'a RingId,
    /// The key's number, never used twice in a ring.
    pub id: KeyId,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose cells it seals, as the database writes it.
    pub scope: &'a str,
    /// Its generation.
    pub generation: u32,
}

impl WrappedKeyLabel<'_> {
    fn context(&self) -> Context {
        List::new("strongroom/wrap-context/1")
            .with("ring", &self.ring.as_bytes().as_slice().into())
            .with("id", &Value::Integer(self.id.into()))
            .with("purpose", &self.purpose.as_str().into())
            .with("scope", &self.scope.into())
            .with("generation", &Value::Integer(self.generation.into()))
            .context()
    }
}

/// Wraps a key of the ring under the root.
#[expect(private_bounds, reason = "only the ring's own kinds of key can be wrapped")]
pub fn wrap_key<K: RingKey>(
    root: &RootKey,
    label: &WrappedKeyLabel<'_>,
    key: &K,
) -> Result<Vec<u8>, SealError> {
    let wrapping = root.wrapping(label.ring);
    seal_with(WRAP, wrapping.expand_key(), label.id, &label.context(), key.bytes(), &make_bytes()?)
}

/// Unwraps what [`wrap_key`] made under the same root and label.
#[expect(private_bounds, reason = "only the ring's own kinds of key can be unwrapped")]
pub fn unwrap_key<K: RingKey>(
    root: &RootKey,
    label: &WrappedKeyLabel<'_>,
    wrapped: &[u8],
) -> Result<K, OpenError> {
    let opened =
        open_with(WRAP, root.wrapping(label.ring).expand_key(), &label.context(), wrapped)?;
    K::from_bytes(opened.as_bytes()).ok_or(OpenError::Padding)
}
