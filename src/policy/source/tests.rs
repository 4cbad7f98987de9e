use super::*;
use proptest::prelude::*;

fn parse(name: &str, text: &str) -> Result<Source, PolicyError> {
    Source::parse(name, text, &ComponentKeys::default())
}

fn message(text: &str) -> String {
    parse("own.toml", text).unwrap_err().to_string()
}

#[test]
fn every_key_is_read() {
    let source = parse("own.toml", strongroom_migration::POLICIES[0]).unwrap();
    assert_eq!(source.components.len(), 10);
    let text = "replace = true\nwithout = [\"console\"]\nknown = []\n[component.x1_]\nconnections = 1_000\n\
        statement_timeout = \"250ms\"\nlock_timeout = \"2m\"\nidle_transaction_timeout = \"1h\"\ncertificate = true\n\
        [[component.x1_.allow]]\ntable = \"t\"\nselect = \"*\"\nupdate = [\"a\",\n\"b\"]\ndelete = true\n\
        [deny]\n't.c' = { insert = [\"x1_\"] }\n";
    let source = parse("own.toml", text).unwrap();
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
    assert_eq!((allow.table.text.as_str(), allow.delete.as_ref().unwrap().line), ("t", 15));
    let Some((_, Columns::These(update))) =
        allow.columns.iter().find(|(verb, _)| *verb == Verb::Update)
    else {
        panic!()
    };
    assert_eq!((update[1].text.as_str(), update[1].place.line), ("b", 14));
    assert_eq!(
        (source.denials[0].verb, source.denials[0].components[0].place.line),
        (Verb::Insert, 17)
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
    for name in ["X", "_x", "1x", "x-y", "\"\"", "\"x y\"", "x234567890123456789", "\"\u{e9}\""] {
        let wanted = "own.toml:1: `N` cannot name a component: \
            a lowercase letter, then at most 17 lowercase letters, digits and `_`, the end neither `_a` nor `_b`";
        let wanted = wanted.replace('N', name.trim_matches('"'));
        assert_eq!(message(&format!("[component.{name}]")), wanted);
    }
    assert!(parse("own.toml", "[component.x23456789012345678]").is_ok());
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
        let _ = parse("own.toml", &text);
    }

    #[test]
    fn any_heap_of_fragments_is_read_or_refused(text in heap()) {
        let _ = parse("own.toml", &text);
    }
}
