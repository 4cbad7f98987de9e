//! A policy file as it is written: names with their lines, and nothing of them looked up yet. Pure.

use std::collections::BTreeMap;

use super::entry::{Columns, Entry, File, Name, Table};
use super::key::{AnyValue, Key};
use super::{ComponentKeys, Limits, Place, PolicyError, Verb, is_component_name};

const KEYS: [&str; 6] = ["version", "replace", "without", "known", "component", "deny"];
const COMPONENT_KEYS: [&str; 7] = [
    "connections",
    "statement_timeout",
    "lock_timeout",
    "idle_transaction_timeout",
    "certificate",
    "replace",
    "allow",
];
const ALLOW_KEYS: [&str; 5] = ["table", "select", "insert", "update", "delete"];
const DENY_KEYS: [&str; 3] = ["select", "insert", "update"];

/// A parsed policy file. [`resolve`](super::resolve()) makes a policy of it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(super) file: String,
    pub(super) version: Option<(u32, Place)>,
    /// Where `replace` is set.
    pub(super) replace: Option<Place>,
    pub(super) without: Vec<Name>,
    pub(super) known: Vec<Name>,
    pub(super) components: BTreeMap<String, Section>,
    pub(super) denials: Vec<Deny>,
    pub(super) key_denials: Vec<DenyKey>,
}

/// `[component.x]`
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) place: Place,
    pub(super) limits: Limits,
    pub(super) certificate: Option<bool>,
    /// Registered keys, by name.
    pub(super) keys: BTreeMap<&'static str, Given>,
    /// Where `replace` is set.
    pub(super) replace: Option<Place>,
    pub(super) allows: Vec<Allow>,
}

/// The value of a registered key, and the line that gives it.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) place: Place,
    pub(super) value: AnyValue,
}

/// `[[component.x.allow]]`
#[derive(Debug, Clone)]
pub(super) struct Allow {
    pub(super) table: Name,
    pub(super) columns: Vec<(Verb, Columns)>,
    /// Where `delete` is set.
    pub(super) delete: Option<Place>,
}

/// One verb of one line of `[deny]`.
#[derive(Debug, Clone)]
pub(super) struct Deny {
    pub(super) key: Name,
    pub(super) verb: Verb,
    pub(super) components: Vec<Name>,
}

/// One word of a registered key's line of `[deny]`.
#[derive(Debug, Clone)]
pub(super) struct DenyKey {
    pub(super) key: Key,
    pub(super) word: String,
    pub(super) components: Vec<Name>,
}

impl Source {
    /// Reads a policy. The file's name is for messages only.
    pub(crate) fn parse(name: &str, text: &str, keys: &ComponentKeys) -> Result<Self, PolicyError> {
        let file = File { name, text };
        let document = file.document()?;
        let mut source = Self::new(name);
        for entry in file.table(&document, 0).entries() {
            source.read(&entry, keys)?;
        }
        Ok(source)
    }

    fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            version: None,
            replace: None,
            without: Vec::new(),
            known: Vec::new(),
            components: BTreeMap::new(),
            denials: Vec::new(),
            key_denials: Vec::new(),
        }
    }

    fn read(&mut self, entry: &Entry<'_>, keys: &ComponentKeys) -> Result<(), PolicyError> {
        match entry.key() {
            "version" => {
                self.version =
                    Some((entry.number(u32::MAX, "a whole number from 1")?, entry.place()));
            }
            "replace" => self.replace = entry.flag()?.then(|| entry.place()),
            "without" => self.without = entry.names()?,
            "known" => self.known = entry.names()?,
            "component" => self.components = components(&entry.table()?, keys)?,
            "deny" => self.deny(&entry.table()?, keys)?,
            _ => return Err(entry.unknown(&KEYS)),
        }
        Ok(())
    }

    /// A registered key's name has no dot, and so is no column's.
    fn deny(&mut self, table: &Table<'_>, keys: &ComponentKeys) -> Result<(), PolicyError> {
        for line in table.entries() {
            match keys.get(line.key()) {
                Some(key) => self.key_denials.extend(denied_words(key, &line)?),
                None => self.denials.extend(denial(&line)?),
            }
        }
        Ok(())
    }
}

fn components(
    table: &Table<'_>,
    keys: &ComponentKeys,
) -> Result<BTreeMap<String, Section>, PolicyError> {
    table.entries().map(|entry| Ok((component_name(&entry)?, section(&entry, keys)?))).collect()
}

fn component_name(entry: &Entry<'_>) -> Result<String, PolicyError> {
    let name = entry.key();
    if is_component_name(name) {
        Ok(name.to_owned())
    } else {
        Err(PolicyError::ComponentName { place: entry.place(), name: name.to_owned() })
    }
}

fn section(component: &Entry<'_>, keys: &ComponentKeys) -> Result<Section, PolicyError> {
    let (limits, place) = (Limits::default(), component.place());
    let mut section = Section {
        place,
        limits,
        certificate: None,
        keys: BTreeMap::new(),
        replace: None,
        allows: Vec::new(),
    };
    for entry in component.table()?.entries() {
        match entry.key() {
            "connections" => {
                section.limits.connections =
                    Some(entry.number(10_000, "a whole number from 1 to 10000")?);
            }
            "statement_timeout" => {
                section.limits.statement_timeout_ms = Some(entry.milliseconds()?);
            }
            "lock_timeout" => section.limits.lock_timeout_ms = Some(entry.milliseconds()?),
            "idle_transaction_timeout" => {
                section.limits.idle_transaction_timeout_ms = Some(entry.milliseconds()?);
            }
            "certificate" => section.certificate = Some(entry.flag()?),
            "replace" => section.replace = entry.flag()?.then(|| entry.place()),
            "allow" => section.allows = allows(component.key(), &entry)?,
            _ => {
                let key = keys.get(entry.key());
                let key = key.ok_or_else(|| entry.unknown_in(&COMPONENT_KEYS, keys.names()))?;
                let given = Given { place: entry.place(), value: key.parse(&entry)? };
                section.keys.insert(key.name(), given);
            }
        }
    }
    Ok(section)
}

fn allows(component: &str, entry: &Entry<'_>) -> Result<Vec<Allow>, PolicyError> {
    entry.tables()?.iter().map(|table| allow(component, table)).collect()
}

fn allow(component: &str, line: &Table<'_>) -> Result<Allow, PolicyError> {
    let (mut table, mut columns, mut delete) = (None, Vec::new(), None);
    for entry in line.entries() {
        match (entry.key(), verb(entry.key())) {
            ("table", _) => table = Some(entry.name()?),
            ("delete", _) => delete = entry.flag()?.then(|| entry.place()),
            (_, Some(verb)) => columns.push((verb, entry.columns()?)),
            _ => return Err(entry.unknown(&ALLOW_KEYS)),
        }
    }
    let table = table.ok_or_else(|| PolicyError::Missing { place: line.place(), key: "table" })?;
    if columns.is_empty() && delete.is_none() {
        return Err(PolicyError::AllowsNothing {
            place: line.place(),
            component: component.to_owned(),
        });
    }
    Ok(Allow { table, columns, delete })
}

fn denied_words(key: Key, line: &Entry<'_>) -> Result<Vec<DenyKey>, PolicyError> {
    let denied = |entry: Entry<'_>| {
        key.default_allows(entry.key()).ok_or_else(|| entry.unknown(&[]))?;
        let (word, components) = (entry.key().to_owned(), entry.some_names()?);
        Ok(DenyKey { key, word, components })
    };
    line.table()?.entries().map(denied).collect()
}

fn denial(line: &Entry<'_>) -> Result<Vec<Deny>, PolicyError> {
    let key = Name { text: line.key().to_owned(), place: line.place() };
    // An unquoted `credential.secret_key` arrives here as `credential`, and is told about the quotes.
    if !key.text.contains('.') {
        return Err(PolicyError::NotAColumn { place: key.place, key: key.text });
    }
    let verbs: Vec<_> =
        line.table()?.entries().map(|entry| denied_verb(&key, &entry)).collect::<Result<_, _>>()?;
    if verbs.is_empty() {
        Err(line.invalid("a table of verbs, each with its list of components"))
    } else {
        Ok(verbs)
    }
}

fn denied_verb(key: &Name, entry: &Entry<'_>) -> Result<Deny, PolicyError> {
    if entry.key() == "delete" {
        return Err(PolicyError::DeleteOfColumn { place: entry.place(), key: key.text.clone() });
    }
    let verb = verb(entry.key()).ok_or_else(|| entry.unknown(&DENY_KEYS))?;
    Ok(Deny { key: key.clone(), verb, components: entry.some_names()? })
}

fn verb(key: &str) -> Option<Verb> {
    match key {
        "select" => Some(Verb::Select),
        "insert" => Some(Verb::Insert),
        "update" => Some(Verb::Update),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
