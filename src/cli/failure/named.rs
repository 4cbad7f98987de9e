//! Errors of the library can get new variants, so the compiler accepts a match that forgets one. This test does not.

use std::fs;
use std::path::Path;

use regex::Regex;

/// An enum of the library, its file, and the files here that say what to do about each variant.
const ENUMS: [(&str, &str, &[&str]); 12] = [
    ("EpochNotice", "key/epoch/notice.rs", &["cli/epoch.rs"]),
    ("ExportError", "credential/keystone/outcome.rs", &["cli/failure/credentials.rs"]),
    ("GrantError", "policy/grant_error.rs", &["cli/failure/policy.rs"]),
    ("ImportError", "credential/keystone/import.rs", &["cli/failure/credentials.rs"]),
    ("LockError", "db/lock.rs", &["cli/failure/runs.rs"]),
    ("ManifestError", "key/manifest/error.rs", &["cli/failure/keys.rs"]),
    ("ResealError", "reseal/error.rs", &["cli/failure/runs.rs"]),
    ("RingError", "key/error.rs", &["cli/failure/keys.rs"]),
    ("SchemaError", "schema/error.rs", &["cli/failure/runs.rs"]),
    ("SourceError", "key/source.rs", &["cli/failure/keys.rs"]),
    ("StoreError", "credential/error.rs", &["cli/failure/credentials.rs"]),
    ("TlsFailure", "db/tls_failure.rs", &["cli/failure/tls.rs"]),
];

#[test]
fn every_variant_of_an_error_is_named_where_its_help_is() {
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let text = |file: &str| fs::read_to_string(source.join(file)).unwrap();
    let mut missing = Vec::new();
    for (name, file, matched) in ENUMS {
        let matched: String = matched.iter().map(|file| text(file)).collect();
        let variants = variants_of(&text(file), name);
        assert!(!variants.is_empty(), "{file} has no `{name}`");
        let is_named = |variant: &String| matched.contains(&format!("{name}::{variant}"));
        missing.extend(
            variants
                .iter()
                .filter(|variant| !is_named(variant))
                .map(|variant| format!("{name}::{variant}")),
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

fn variants_of(text: &str, name: &str) -> Vec<String> {
    let from = text.find(&format!("pub enum {name} {{")).unwrap_or(text.len());
    let body = text[from..].split("\n}").next().unwrap_or_default();
    let variant = Regex::new(r"(?m)^    ([A-Z]\w+)").unwrap();
    variant.captures_iter(body).map(|found| found[1].to_owned()).collect()
}
