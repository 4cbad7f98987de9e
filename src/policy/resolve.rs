//! From what is written to a policy: the compiled-in file and an operator's own together, every name looked up.
//!
//! Refuses what could not work or contradicts itself, each with its line. Pure.

mod denial;
mod rights;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::entry::Name;
use super::model::Catalog;
use super::source::{Allow, Given, Section, Source};
use super::suggest::nearest;
use super::{Component, KeyValues, Limits, Place, Policy, PolicyError};

/// Makes a policy of the compiled-in file, an operator's own, or both, for the tables of `catalog`.
pub(super) fn resolve(
    builtin: Option<&Source>,
    own: Option<&Source>,
    catalog: &Catalog,
) -> Result<Policy, PolicyError> {
    let builtin = builtin.filter(|_| own.is_none_or(|own| own.replace.is_none()));
    let version = builtin.map(checked_builtin).transpose()?.unwrap_or_default();
    if let Some(own) = own {
        check_own(own, builtin)?;
    }
    let merged = merge(builtin, own);
    let mut rights = BTreeMap::new();
    for (name, component) in &merged {
        rights.insert(*name, rights::granted(name, component, catalog)?);
    }
    let denials = denial::resolved(builtin, own, &rights, catalog)?;
    let key_denials = denial::of_keys(builtin, own, &merged)?;
    let finished = |(name, merged): (&str, Merged<'_>)| {
        let tables = rights.remove(name).unwrap_or_default();
        (name.to_owned(), merged.with(tables))
    };
    Ok(Policy {
        version,
        known: known(builtin, own),
        denials,
        key_denials,
        components: merged.into_iter().map(finished).collect(),
    })
}

/// What the files say of one component together.
struct Merged<'a> {
    place: &'a Place,
    limits: Limits,
    certificate: bool,
    keys: BTreeMap<&'static str, &'a Given>,
    allows: Vec<&'a Allow>,
}

impl<'a> Merged<'a> {
    fn new(section: &'a Section) -> Self {
        Self {
            place: &section.place,
            limits: section.limits.clone(),
            certificate: section.certificate.unwrap_or_default(),
            keys: section.keys.iter().map(|(name, given)| (*name, given)).collect(),
            allows: section.allows.iter().collect(),
        }
    }

    fn then(&mut self, section: &'a Section) {
        let (before, given) = (&self.limits, &section.limits);
        self.limits = Limits {
            connections: given.connections.or(before.connections),
            statement_timeout_ms: given.statement_timeout_ms.or(before.statement_timeout_ms),
            lock_timeout_ms: given.lock_timeout_ms.or(before.lock_timeout_ms),
            idle_transaction_timeout_ms: given
                .idle_transaction_timeout_ms
                .or(before.idle_transaction_timeout_ms),
        };
        self.place = &section.place;
        self.certificate = section.certificate.unwrap_or(self.certificate);
        self.keys.extend(section.keys.iter().map(|(name, given)| (*name, given)));
        if section.replace.is_some() {
            self.allows.clear();
        }
        self.allows.extend(&section.allows);
    }

    fn with(self, tables: rights::Tables) -> Component {
        let tables = tables.into_iter().map(|(table, granted)| (table, granted.into())).collect();
        Component {
            limits: self.limits,
            certificate: self.certificate,
            keys: KeyValues(stored(&self.keys)),
            tables,
        }
    }
}

fn stored(keys: &BTreeMap<&str, &Given>) -> BTreeMap<String, Value> {
    let kept = keys.iter().filter(|(_, given)| !given.value.is_default());
    kept.map(|(name, given)| ((*name).to_owned(), given.value.json())).collect()
}

fn merge<'a>(
    builtin: Option<&'a Source>,
    own: Option<&'a Source>,
) -> BTreeMap<&'a str, Merged<'a>> {
    let left_out: BTreeSet<_> =
        own.iter().flat_map(|own| &own.without).map(|name| name.text.as_str()).collect();
    let kept = builtin
        .into_iter()
        .flat_map(|builtin| &builtin.components)
        .filter(|(name, _)| !left_out.contains(name.as_str()));
    let mut merged: BTreeMap<_, _> =
        kept.map(|(name, section)| (name.as_str(), Merged::new(section))).collect();
    for (name, section) in own.into_iter().flat_map(|own| &own.components) {
        let there = merged.entry(name).and_modify(|component| component.then(section));
        there.or_insert_with(|| Merged::new(section));
    }
    merged
}

fn known(builtin: Option<&Source>, own: Option<&Source>) -> BTreeSet<String> {
    builtin
        .into_iter()
        .chain(own)
        .flat_map(|source| &source.known)
        .map(|name| name.text.clone())
        .collect()
}

/// Its version.
fn checked_builtin(source: &Source) -> Result<u32, PolicyError> {
    let without = source.without.first().map(|name| (&name.place, "without"));
    let replaced = source.components.values().find_map(|section| section.replace.as_ref());
    let replace = source.replace.as_ref().or(replaced).map(|place| (place, "replace"));
    if let Some((place, key)) = without.or(replace) {
        return Err(PolicyError::OnlyOwn { place: place.clone(), key });
    }
    let missing = || PolicyError::Missing {
        place: Place { file: source.file.clone(), line: 1 },
        key: "version",
    };
    source.version.as_ref().map(|(version, _)| *version).ok_or_else(missing)
}

fn check_own(own: &Source, builtin: Option<&Source>) -> Result<(), PolicyError> {
    if let Some((_, place)) = &own.version {
        return Err(PolicyError::OnlyBuiltin { place: place.clone() });
    }
    if let (Some(_), Some(Name { place, .. })) = (&own.replace, own.without.first()) {
        return Err(PolicyError::StandsAlone { place: place.clone() });
    }
    let there: Vec<&str> = builtin
        .into_iter()
        .flat_map(|builtin| builtin.components.keys())
        .map(String::as_str)
        .collect();
    if let Some(Name { text, place }) =
        own.without.iter().find(|name| !there.contains(&name.text.as_str()))
    {
        let near = nearest(text, there.iter().copied());
        return Err(PolicyError::UnknownComponent {
            place: place.clone(),
            component: text.clone(),
            near,
        });
    }
    check_replaced(own, &there)
}

/// A component's `replace` that misses, misspelt for instance, would leave in force what it was to take away.
fn check_replaced(own: &Source, there: &[&str]) -> Result<(), PolicyError> {
    for (name, section) in &own.components {
        if let Some(place) = section.replace.as_ref().filter(|_| !there.contains(&name.as_str())) {
            let near = nearest(name, there.iter().copied());
            return Err(PolicyError::NothingToReplace {
                place: place.clone(),
                component: name.clone(),
                near,
            });
        }
    }
    Ok(())
}

fn columns_of<'a>(
    catalog: &'a Catalog,
    table: &str,
    place: &Place,
) -> Result<&'a [String], PolicyError> {
    catalog.get(table).map(Vec::as_slice).ok_or_else(|| {
        let near = nearest(table, catalog.keys().map(String::as_str));
        PolicyError::UnknownTable { place: place.clone(), table: table.to_owned(), near }
    })
}

#[cfg(test)]
mod tests;
