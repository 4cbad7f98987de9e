//! From what is written to a policy: the compiled-in file and an operator's own together, every name looked up.
//!
//! Refuses what could not work or contradicts itself, each with its line. Pure.

mod denial;
mod rights;

use std::collections::{BTreeMap, BTreeSet};

use super::model::Catalog;
use super::source::{Allow, Name, Section, Source};
use super::suggest::nearest;
use super::{Component, Limits, Place, Policy, PolicyError, SignatureReplay};

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
    let finished = |(name, merged): (&str, Merged<'_>)| {
        let tables = rights.remove(name).unwrap_or_default();
        (name.to_owned(), merged.with(tables))
    };
    Ok(Policy {
        version,
        known: known(builtin, own),
        denials,
        components: merged.into_iter().map(finished).collect(),
    })
}

/// What the files say of one component together.
struct Merged<'a> {
    place: &'a Place,
    limits: Limits,
    certificate: bool,
    signature_replay: SignatureReplay,
    allows: Vec<&'a Allow>,
}

impl<'a> Merged<'a> {
    fn new(section: &'a Section) -> Self {
        Self {
            place: &section.place,
            limits: section.limits.clone(),
            certificate: section.certificate.unwrap_or_default(),
            signature_replay: section.signature_replay.unwrap_or_default(),
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
        self.signature_replay = section.signature_replay.unwrap_or(self.signature_replay);
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
            signature_replay: self.signature_replay,
            tables,
        }
    }
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
mod tests {
    use super::*;
    use crate::policy::Verb;
    use crate::policy::builtin::{NEWEST, builtin};

    pub(super) fn catalog() -> Catalog {
        let tables = [
            (
                "credential",
                "id user_id project_id type extra created_at access_key_sealed secret_key_sealed access_key_index",
            ),
            ("strongroom_key", "id purpose scope generation wrapped created_at"),
            ("strongroom_manifest", "id ring_id epoch body mac"),
            (
                "strongroom_reseal",
                "table_name run direction target after_id moved finished writing",
            ),
            ("strongroom_quarantine", "table_name row_id column_name reason run found_at"),
            (
                "strongroom_history",
                "id number name kind direction checksum started_at finished_at holder token",
            ),
            ("strongroom_lock", "name holder token expires_ms"),
            ("strongroom_migrations", "version applied_at"),
            ("strongroom_database_login", "component slot state version wrapped changed_at"),
            ("strongroom_policy", "number version digest body applied_at"),
            (
                "strongroom_audit",
                "number at_ms replica request component identity action object result barrier mac",
            ),
            ("strongroom_audit_head", "id number mac"),
            ("strongroom_signature", "fingerprint expires_ms"),
        ];
        let columns = |columns: &str| columns.split(' ').map(str::to_owned).collect();
        tables.into_iter().map(|(table, names)| (table.to_owned(), columns(names))).collect()
    }

    /// An operator's file over the newest compiled-in one.
    pub(super) fn over(own: &str) -> Result<Policy, PolicyError> {
        let builtin = Source::parse("builtin.toml", builtin(NEWEST).unwrap()).unwrap();
        resolve(Some(&builtin), Some(&Source::parse("own.toml", own)?), &catalog())
    }

    pub(super) fn message(own: &str) -> String {
        over(own).unwrap_err().to_string()
    }

    /// Where the newest compiled-in policy has a line.
    pub(super) fn line_of(start: &str) -> usize {
        1 + builtin(NEWEST).unwrap().lines().position(|line| line.starts_with(start)).unwrap()
    }

    fn alone(text: &str) -> Result<Policy, PolicyError> {
        resolve(Some(&Source::parse("builtin.toml", text)?), None, &catalog())
    }

    #[test]
    fn the_default_policy_is_what_it_says() {
        let policy = alone(builtin(NEWEST).unwrap()).unwrap();
        assert_eq!(
            (policy.version, policy.components.len(), policy.denials.len()),
            (2, 10, 8 + 10 + 7 + 9 + 9 + 10)
        );
        let may = |component: &str, verb, table, column| {
            policy.components[component].allows(verb, table, column)
        };
        let readers = |column| -> Vec<&str> {
            let components = policy.components.keys().map(String::as_str);
            components
                .filter(|component| may(component, Verb::Select, "credential", column))
                .collect()
        };
        assert_eq!(readers("secret_key_sealed"), ["api", "metadata"]);
        assert_eq!(readers("access_key_sealed"), ["api", "compute", "metadata"]);
        assert_eq!(readers("id").len(), 9);
        assert!(may("api", Verb::Insert, "credential", "secret_key_sealed"));
        assert!(!may("api", Verb::Insert, "credential", "created_at"));
        assert!(may("conductor", Verb::Delete, "credential", "id"));
        assert!(may("strongroom", Verb::Select, "strongroom_key", "created_at"));
        assert!(
            policy.components["strongroom"]
                .tables
                .keys()
                .all(|table| table.starts_with("strongroom_"))
        );
        let updated = policy.components.iter().flat_map(|(name, component)| {
            component
                .tables
                .iter()
                .filter(|(_, rights)| !rights.update.is_empty())
                .map(move |(table, _)| format!("{name} {table}"))
        });
        assert_eq!(
            updated.collect::<Vec<_>>(),
            ["strongroom strongroom_audit_head"],
            "the end of the chain, and nothing else"
        );
        let limits = |component: &str| policy.components[component].limits.clone();
        assert_eq!(
            (limits("api").connections, limits("auditor").statement_timeout_ms),
            (Some(20), Some(30_000))
        );
        assert!(
            policy
                .components
                .values()
                .all(|component| component.limits.lock_timeout_ms == Some(2000))
        );
    }

    #[test]
    fn a_file_of_ones_own_adds() {
        let policy = over(
            "known = [\"keystone\"]\nwithout = [\"console\"]\n[component.network]\nconnections = 7\ncertificate = true\n\
             [[component.network.allow]]\ntable = \"credential\"\nselect = [\"created_at\"]\n\
             [[component.network.allow]]\ntable = \"credential\"\nupdate = [\"extra\"]\n\
             [component.billing]\n[[component.billing.allow]]\ntable = \"credential\"\nselect = [\"id\"]\n\
             [deny]\n\"credential.extra\" = { select = [\"billing\"] }\n",
        )
        .unwrap();
        let network = &policy.components["network"];
        assert_eq!(
            (policy.version, network.limits.connections, network.certificate),
            (2, Some(7), true)
        );
        assert_eq!(network.limits.lock_timeout_ms, Some(2000));
        assert_eq!(network.tables["credential"].select.len(), 5);
        assert!(network.allows(Verb::Update, "credential", "extra"));
        assert!(policy.known.contains("keystone"));
        assert!(
            !policy.components.contains_key("console") && policy.components.contains_key("billing")
        );
        let denied: BTreeSet<_> =
            policy.denials.iter().map(|denial| denial.component.as_str()).collect();
        assert!(
            denied.contains("billing") && denied.contains("api") && !denied.contains("console")
        );
    }

    #[test]
    fn a_replayed_signature_is_refused_unless_the_component_says_otherwise() {
        let policy = over("[component.metadata]\nsignature_replay = \"until_expiry\"\n").unwrap();
        assert_eq!(policy.components["metadata"].signature_replay, SignatureReplay::UntilExpiry);
        assert_eq!(policy.components["api"].signature_replay, SignatureReplay::Refuse);
        // The text of a policy without the setting stays the same, and with it the code over the text.
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(text.matches("\"signature_replay\":\"until_expiry\"").count(), 1);
        assert!(!text.contains("refuse"));
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        let refuse = over("[component.metadata]\nsignature_replay = \"refuse\"\n").unwrap();
        assert_eq!(refuse.components["metadata"], over("").unwrap().components["metadata"]);
    }

    #[test]
    fn a_component_is_replaced_and_keeps_its_limits() {
        let text = "[component.api]\nreplace = true\n[[component.api.allow]]\ntable = \"credential\"\nselect = [\"id\"]\n";
        let api = over(text).unwrap().components["api"].clone();
        assert_eq!((api.limits.connections, api.tables.len()), (Some(20), 1));
        assert_eq!(api.tables["credential"].touched(), BTreeSet::from(["id"]));
    }

    #[test]
    fn a_file_that_stands_alone_is_all_there_is() {
        let text = "replace = true\n[component.x]\n[[component.x.allow]]\ntable = \"credential\"\ninsert = \"*\"\n";
        let policy = over(text).unwrap();
        assert_eq!((policy.version, policy.components.len(), policy.denials.len()), (0, 1, 0));
        assert_eq!(policy.components["x"].tables["credential"].insert.len(), 9);
        assert_eq!(
            resolve(None, Some(&Source::parse("own.toml", text).unwrap()), &catalog()).unwrap(),
            policy
        );
    }

    #[test]
    fn a_file_in_the_wrong_part_is_refused() {
        for (own, wanted) in [
            (
                "version = 1",
                "own.toml:1: `version` is for the compiled-in policies, not for a file of one's own",
            ),
            (
                "replace = true\nwithout = [\"api\"]",
                "own.toml:2: `without` has no meaning here: with `replace` the compiled-in policy does not count",
            ),
            (
                "without = [\n\"consol\"]",
                "own.toml:2: unknown component `consol`: did you mean `console`?",
            ),
            ("without = [\"billing\"]", "own.toml:1: unknown component `billing`"),
            (
                "[component.condutor]\nreplace = true",
                "own.toml:2: `replace` finds no component `condutor` in the compiled-in policy: did you mean `conductor`?",
            ),
        ] {
            assert_eq!(message(own), wanted, "{own}");
        }
        for (text, wanted) in [
            ("known = []", "builtin.toml:1: `version` is missing"),
            ("\nreplace = true", "builtin.toml:2: `replace` is for an operator's own file"),
            ("without = [\"api\"]", "builtin.toml:1: `without` is for an operator's own file"),
            (
                "[component.x]\nreplace = true",
                "builtin.toml:2: `replace` is for an operator's own file",
            ),
        ] {
            assert_eq!(alone(text).unwrap_err().to_string(), wanted, "{text}");
        }
    }
}
