//! Keys under `[component.NAME]` that packages register: their parsing, rights and denials. The core's own keys are in
//! [`source`](super::source).

mod registered;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::entry::Entry;
use super::{Component, Policy, PolicyError, TableRights};

pub(super) use registered::{AnyKey, Key};

/// A key under `[component.NAME]`, given by the type of its value.
///
/// The default is the value of a component whose section does not have the key. The value is stored with the policy as
/// JSON, so a program reads it back from the policy in force with [`Component::key`].
pub trait ComponentKey:
    Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The key's name. The names of the core's keys are taken.
    const NAME: &'static str;

    /// Reads the value. [`Entry::invalid`] and [`Entry::refused`] make errors with the file and the line.
    fn parse(entry: &Entry<'_>) -> Result<Self, PolicyError>;

    /// Returns the lines for `policy show` and `policy explain`.
    fn describe(&self, component: &str) -> Vec<String>;

    /// Returns the rights on tables that the value brings, by table.
    fn rights(&self) -> BTreeMap<String, TableRights> {
        BTreeMap::new()
    }

    /// Says whether the value allows a word of `[deny] NAME = { WORD = ["component"] }`; `None` refuses the word.
    fn allows(&self, _word: &str) -> Option<bool> {
        None
    }
}

/// The keys that packages registered, for reading policy files and describing policies.
#[derive(Debug, Clone, Default)]
pub struct ComponentKeys(BTreeMap<&'static str, Key>);

impl ComponentKeys {
    /// Adds a key. Of two keys with one name, the first stays.
    #[must_use]
    pub fn with<K: ComponentKey>(mut self) -> Self {
        self.0.entry(K::NAME).or_insert_with(Key::of::<K>);
        self
    }

    /// Returns the lines of `policy show`, for all components.
    pub fn show(&self, policy: &Policy) -> Vec<String> {
        policy.components.iter().flat_map(|(name, of)| self.lines(name, of)).collect()
    }

    /// Returns the lines of `policy explain` for a component, with its denials; none for an unknown component.
    pub fn explain(&self, policy: &Policy, component: &str) -> Vec<String> {
        let of = policy.components.get(component);
        let denied = policy.key_denials.iter().filter(|denial| denial.component == component);
        let denied = denied.map(|denial| {
            format!("{component} {} of {}: denied by the policy", denial.word, denial.key)
        });
        of.into_iter().flat_map(|of| self.lines(component, of)).chain(denied).collect()
    }

    /// Returns the value of every registered key for a component, defaults included, as JSON.
    pub fn values(&self, of: &Component) -> BTreeMap<&'static str, Value> {
        self.0.iter().map(|(name, key)| (*name, key.json(of.keys.0.get(*name)))).collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<Key> {
        self.0.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    fn lines(&self, component: &str, of: &Component) -> Vec<String> {
        let lines = |key: &Key| match key.read(of.keys.0.get(key.name())) {
            Ok(value) => value.describe(component),
            Err(error) => vec![format!("{component}: {error}")],
        };
        self.0.values().flat_map(lines).collect()
    }
}

/// A value of the policy in force that a newer program has written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the policy has a value of `{key}` that this program cannot read: use the program that applied it, or a newer one"
)]
pub struct UnreadableKey {
    /// The key.
    pub key: &'static str,
}

impl Component {
    /// Returns its value of a registered key: the default unless its section has the key.
    pub fn key<K: ComponentKey>(&self) -> Result<K, UnreadableKey> {
        registered::value(self.keys.0.get(K::NAME))
    }
}

/// A parsed value.
pub(super) type AnyValue = Arc<dyn AnyKey>;
