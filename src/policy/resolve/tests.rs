use super::*;
use crate::policy::builtin::{NEWEST, builtin};
use crate::policy::{ComponentKeys, Verb};

pub(super) fn parse(name: &str, text: &str) -> Result<Source, PolicyError> {
    Source::parse(name, text, &ComponentKeys::default())
}

pub(super) fn catalog() -> Catalog {
    let tables = [
        (
            "credential",
            "id user_id project_id type extra created_at access_key_sealed secret_key_sealed access_key_index",
        ),
        ("strongroom_key", "id purpose scope generation wrapped created_at"),
        ("strongroom_manifest", "id ring_id epoch body mac"),
        ("strongroom_reseal", "table_name run direction target after_id moved finished writing"),
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
    let builtin = parse("builtin.toml", builtin(NEWEST).unwrap()).unwrap();
    resolve(Some(&builtin), Some(&parse("own.toml", own)?), &catalog())
}

pub(super) fn message(own: &str) -> String {
    over(own).unwrap_err().to_string()
}

/// Where the newest compiled-in policy has a line.
pub(super) fn line_of(start: &str) -> usize {
    1 + builtin(NEWEST).unwrap().lines().position(|line| line.starts_with(start)).unwrap()
}

fn alone(text: &str) -> Result<Policy, PolicyError> {
    resolve(Some(&parse("builtin.toml", text)?), None, &catalog())
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
        components.filter(|component| may(component, Verb::Select, "credential", column)).collect()
    };
    assert_eq!(readers("secret_key_sealed"), ["api", "metadata"]);
    assert_eq!(readers("access_key_sealed"), ["api", "compute", "metadata"]);
    assert_eq!(readers("id").len(), 9);
    assert!(may("api", Verb::Insert, "credential", "secret_key_sealed"));
    assert!(!may("api", Verb::Insert, "credential", "created_at"));
    assert!(may("conductor", Verb::Delete, "credential", "id"));
    assert!(may("strongroom", Verb::Select, "strongroom_key", "created_at"));
    assert!(
        policy.components["strongroom"].tables.keys().all(|table| table.starts_with("strongroom_"))
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
        policy.components.values().all(|component| component.limits.lock_timeout_ms == Some(2000))
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
    assert!(denied.contains("billing") && denied.contains("api") && !denied.contains("console"));
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
    assert_eq!(resolve(None, Some(&parse("own.toml", text).unwrap()), &catalog()).unwrap(), policy);
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
