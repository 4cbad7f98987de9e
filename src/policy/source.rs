//! A policy file as it is written: names with their lines, and nothing of them looked up yet. Pure.

mod value;

use std::collections::BTreeMap;

use self::value::{Entry, File, Table};
use super::{Limits, PolicyError, SignatureReplay, Verb, is_component_name};

pub(super) use self::value::{Columns, Name};
pub(super) use super::error::Place;

const KEYS: [&str; 6] = ["version", "replace", "without", "known", "component", "deny"];
const COMPONENT_KEYS: [&str; 8] = [
    "connections",
    "statement_timeout",
    "lock_timeout",
    "idle_transaction_timeout",
    "certificate",
    "signature_replay",
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
}

/// `[component.x]`
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) place: Place,
    pub(super) limits: Limits,
    pub(super) certificate: Option<bool>,
    pub(super) signature_replay: Option<SignatureReplay>,
    /// Where `replace` is set.
    pub(super) replace: Option<Place>,
    pub(super) allows: Vec<Allow>,
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

impl Source {
    /// Reads a policy. The file's name is for messages only.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, PolicyError> {
        let file = File { name, text };
        let document = file.document()?;
        let mut source = Self::new(name);
        for entry in file.table(&document, 0).entries() {
            source.read(&entry)?;
        }
        Ok(source)
    }

    fn new(file: &str) -> Self {
        let (without, known, denials) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            file: file.to_owned(),
            version: None,
            replace: None,
            without,
            known,
            components: BTreeMap::new(),
            denials,
        }
    }

    fn read(&mut self, entry: &Entry<'_>) -> Result<(), PolicyError> {
        match entry.key {
            "version" => {
                self.version =
                    Some((entry.number(u32::MAX, "a whole number from 1")?, entry.place()));
            }
            "replace" => self.replace = entry.flag()?.then(|| entry.place()),
            "without" => self.without = entry.names()?,
            "known" => self.known = entry.names()?,
            "component" => self.components = components(&entry.table()?)?,
            "deny" => self.denials = denials(&entry.table()?)?,
            _ => return Err(entry.unknown(&KEYS)),
        }
        Ok(())
    }
}

fn components(table: &Table<'_>) -> Result<BTreeMap<String, Section>, PolicyError> {
    table.entries().map(|entry| Ok((component_name(&entry)?, section(&entry)?))).collect()
}

fn component_name(entry: &Entry<'_>) -> Result<String, PolicyError> {
    let name = entry.key;
    if is_component_name(name) {
        Ok(name.to_owned())
    } else {
        Err(PolicyError::ComponentName { place: entry.place(), name: name.to_owned() })
    }
}

fn section(component: &Entry<'_>) -> Result<Section, PolicyError> {
    let (limits, place) = (Limits::default(), component.place());
    let mut section = Section {
        place,
        limits,
        certificate: None,
        signature_replay: None,
        replace: None,
        allows: Vec::new(),
    };
    for entry in component.table()?.entries() {
        match entry.key {
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
            "signature_replay" => section.signature_replay = Some(entry.signature_replay()?),
            "replace" => section.replace = entry.flag()?.then(|| entry.place()),
            "allow" => section.allows = allows(component.key, &entry)?,
            _ => return Err(entry.unknown(&COMPONENT_KEYS)),
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
        match (entry.key, verb(entry.key)) {
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

fn denials(table: &Table<'_>) -> Result<Vec<Deny>, PolicyError> {
    let mut denials = Vec::new();
    for entry in table.entries() {
        denials.extend(denial(&entry)?);
    }
    Ok(denials)
}

fn denial(line: &Entry<'_>) -> Result<Vec<Deny>, PolicyError> {
    let key = Name { text: line.key.to_owned(), place: line.place() };
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
    if entry.key == "delete" {
        return Err(PolicyError::DeleteOfColumn { place: entry.place(), key: key.text.clone() });
    }
    let verb = verb(entry.key).ok_or_else(|| entry.unknown(&DENY_KEYS))?;
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(text: &str) -> String {
        Source::parse("own.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_key_is_read() {
        let source = Source::parse("own.toml", strongroom_migration::POLICIES[0]).unwrap();
        assert_eq!(source.components.len(), 10);
        let text = "replace = true\nwithout = [\"console\"]\nknown = []\n[component.x1_]\nconnections = 1_000\n\
            statement_timeout = \"250ms\"\nlock_timeout = \"2m\"\nidle_transaction_timeout = \"1h\"\ncertificate = true\nsignature_replay = \"until_expiry\"\n\
            [[component.x1_.allow]]\ntable = \"t\"\nselect = \"*\"\nupdate = [\"a\",\n\"b\"]\ndelete = true\n\
            [deny]\n't.c' = { insert = [\"x1_\"] }\n";
        let source = Source::parse("own.toml", text).unwrap();
        assert_eq!(source.replace.unwrap().line, 1);
        assert_eq!(source.without[0].place.to_string(), "own.toml:2");
        let section = &source.components["x1_"];
        let limits = Limits {
            connections: Some(1000),
            statement_timeout_ms: Some(250),
            lock_timeout_ms: Some(120_000),
            idle_transaction_timeout_ms: Some(3_600_000),
        };
        assert_eq!(
            (&section.limits, section.certificate, section.place.line),
            (&limits, Some(true), 4)
        );
        let allow = &section.allows[0];
        assert_eq!((allow.table.text.as_str(), allow.delete.as_ref().unwrap().line), ("t", 16));
        assert_eq!(section.signature_replay, Some(SignatureReplay::UntilExpiry));
        let Some((_, Columns::These(update))) =
            allow.columns.iter().find(|(verb, _)| *verb == Verb::Update)
        else {
            panic!()
        };
        assert_eq!((update[1].text.as_str(), update[1].place.line), ("b", 15));
        assert_eq!(
            (source.denials[0].verb, source.denials[0].components[0].place.line),
            (Verb::Insert, 18)
        );
    }

    #[test]
    fn what_is_not_of_the_language_is_refused_with_its_line() {
        for (text, wanted) in [
            ("\n[component.x\n", "own.toml:2: not TOML: unclosed table, expected `]`"),
            ("\nknown = [\n", "own.toml:2: not TOML: unclosed array, expected `]`"),
            (
                "known = hunter2",
                "own.toml:1: not TOML: string values must be quoted, expected literal string",
            ),
            ("known = []\nknown = []\n", "own.toml:2: not TOML: duplicate key"),
            ("[components.x]", "own.toml:1: unknown key `components`: did you mean `component`?"),
            ("secret = 1", "own.toml:1: unknown key `secret`"),
            (
                "[component.x]\n\nlock_timout = \"1s\"",
                "own.toml:3: unknown key `lock_timout`: did you mean `lock_timeout`?",
            ),
            (
                "[[component.x.allow]]\nselects = \"*\"",
                "own.toml:2: unknown key `selects`: did you mean `select`?",
            ),
            (
                "[deny]\n\"t.c\" = { updat = [\"x\"] }",
                "own.toml:2: unknown key `updat`: did you mean `update`?",
            ),
            ("[[component.x.allow]]\nselect = \"*\"", "own.toml:1: `table` is missing"),
            ("version = 0", "own.toml:1: `version` must be a whole number from 1"),
            ("version = 4294967296", "own.toml:1: `version` must be a whole number from 1"),
            ("replace = \"hunter2\"", "own.toml:1: `replace` must be true or false"),
            ("component = 1", "own.toml:1: `component` must be a table"),
            ("component.x.allow = 1", "own.toml:1: `allow` must be a list of tables"),
            ("without = \"console\"", "own.toml:1: `without` must be a list of names"),
            ("without = [\n1]", "own.toml:1: `without` must be a list of names"),
            ("without = [\"\"]", "own.toml:1: `without` must be a list of names"),
            ("known = [\"a\",\n\"a\"]", "own.toml:2: `a` stands twice in `known`"),
            (
                "component.x.connections = 0",
                "own.toml:1: `connections` must be a whole number from 1 to 10000",
            ),
            (
                "component.x.connections = 10001",
                "own.toml:1: `connections` must be a whole number from 1 to 10000",
            ),
            (
                "component.x.connections = -1",
                "own.toml:1: `connections` must be a whole number from 1 to 10000",
            ),
            ("component.x.certificate = 1", "own.toml:1: `certificate` must be true or false"),
            (
                "component.x.signature_replay = true",
                "own.toml:1: `signature_replay` must be \"refuse\" or \"until_expiry\"",
            ),
            (
                "component.x.signature_replay = \"hunter2\"",
                "own.toml:1: `signature_replay` must be \"refuse\" or \"until_expiry\"",
            ),
            ("[[component.x.allow]]\ntable = 1", "own.toml:2: `table` must be a name"),
            (
                "[[component.x.allow]]\nselect = \"id\"",
                "own.toml:2: `select` must be \"*\" or a list of names",
            ),
            ("[[component.x.allow]]\nselect = []", "own.toml:2: `select` is an empty list"),
            (
                "[[component.x.allow]]\nselect = [\"id\", \"id\"]",
                "own.toml:2: `id` stands twice in `select`",
            ),
            (
                "[[component.x.allow]]\ntable = \"t\"",
                "own.toml:1: component `x` is allowed nothing here",
            ),
            (
                "[[component.x.allow]]\ntable = \"t\"\ndelete = false",
                "own.toml:1: component `x` is allowed nothing here",
            ),
            ("[deny]\n\"t.c\" = { select = [] }", "own.toml:2: `select` is an empty list"),
            (
                "[deny]\n\"t.c\" = {}",
                "own.toml:2: `t.c` must be a table of verbs, each with its list of components",
            ),
            (
                "[deny]\n\"t.c\" = { delete = [\"x\"] }",
                "own.toml:2: rows are deleted, not columns: of `t.c` only select, insert and update can be denied",
            ),
            (
                "[deny]\ncredential.secret_key = { select = [\"x\"] }",
                "own.toml:2: `credential` is neither a sealed column's label nor a column as in \"table.column\", with its quotes",
            ),
        ] {
            assert_eq!(message(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_component_is_named_like_an_account() {
        for name in ["X", "_x", "1x", "x-y", "\"\"", "\"x y\"", "x234567890123456789", "\"\u{e9}\""]
        {
            let wanted = "own.toml:1: `N` cannot name a component: \
                a lowercase letter, then at most 17 lowercase letters, digits and `_`, the end neither `_a` nor `_b`";
            let wanted = wanted.replace('N', name.trim_matches('"'));
            assert_eq!(message(&format!("[component.{name}]")), wanted);
        }
        assert!(Source::parse("own.toml", "[component.x23456789012345678]").is_ok());
    }

    const FRAGMENTS: &str = "[component.x]\n~[[component.x.allow]]\n~[deny]\n~\"credential.secret_key\" = ~{ select = [\"x\"] }~\n~\
        table = ~\"credential\"~select = ~\"*\"~[~]~\"id\"~,~update = ~delete = true\n~version = 1\n~replace = true\n~\
        without = ~connections = ~7~lock_timeout = \"5s\"\n~{~}";

    fn heap() -> impl Strategy<Value = String> {
        let fragments: Vec<_> = FRAGMENTS.split('~').collect();
        prop::collection::vec(prop::sample::select(fragments), 0..40).prop_map(|heap| heap.concat())
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Source::parse("own.toml", &text);
        }

        #[test]
        fn any_heap_of_fragments_is_read_or_refused(text in heap()) {
            let _ = Source::parse("own.toml", &text);
        }
    }
}
