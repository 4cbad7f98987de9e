//! A registered key without its type.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;

use super::{AnyValue, ComponentKey, UnreadableKey};
use crate::policy::entry::Entry;
use crate::policy::{PolicyError, TableRights};

/// What the core calls of a key.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Key {
    name: &'static str,
    parse: fn(&Entry<'_>) -> Result<AnyValue, PolicyError>,
    read: fn(Option<&Value>) -> Result<AnyValue, UnreadableKey>,
}

impl Key {
    pub(super) fn of<K: ComponentKey>() -> Self {
        Self {
            name: K::NAME,
            parse: |entry| Ok(Arc::new(K::parse(entry)?)),
            read: |stored| Ok(Arc::new(value::<K>(stored)?)),
        }
    }

    pub(in crate::policy) fn name(&self) -> &'static str {
        self.name
    }

    pub(in crate::policy) fn parse(&self, entry: &Entry<'_>) -> Result<AnyValue, PolicyError> {
        (self.parse)(entry)
    }

    /// Reads a stored value, or returns the default.
    pub(super) fn read(&self, stored: Option<&Value>) -> Result<AnyValue, UnreadableKey> {
        (self.read)(stored)
    }

    /// Returns the default. It is made without reading, so it is always there.
    pub(in crate::policy) fn default_allows(&self, word: &str) -> Option<bool> {
        self.read(None).ok()?.allows(word)
    }

    /// Returns a value as it is stored, or the default.
    pub(super) fn json(&self, stored: Option<&Value>) -> Value {
        let default = || self.read(None).map(|default| default.json()).unwrap_or_default();
        stored.cloned().unwrap_or_else(default)
    }
}

/// Reads a stored value, or returns the default.
pub(super) fn value<K: ComponentKey>(stored: Option<&Value>) -> Result<K, UnreadableKey> {
    stored.map_or_else(
        || Ok(K::default()),
        |value| K::deserialize(value).map_err(|_| UnreadableKey { key: K::NAME }),
    )
}

/// A value of some key. Every [`ComponentKey`] is one.
pub(in crate::policy) trait AnyKey: Debug + Send + Sync {
    fn is_default(&self) -> bool;
    fn json(&self) -> Value;
    fn describe(&self, component: &str) -> Vec<String>;
    fn rights(&self) -> BTreeMap<String, TableRights>;
    fn allows(&self, word: &str) -> Option<bool>;
}

impl<K: ComponentKey> AnyKey for K {
    fn is_default(&self) -> bool {
        *self == K::default()
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn describe(&self, component: &str) -> Vec<String> {
        ComponentKey::describe(self, component)
    }

    fn rights(&self) -> BTreeMap<String, TableRights> {
        ComponentKey::rights(self)
    }

    fn allows(&self, word: &str) -> Option<bool> {
        ComponentKey::allows(self, word)
    }
}
