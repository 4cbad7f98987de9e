//! The documents name what is there.

use std::collections::BTreeSet;
use std::fs;

use crate::floors::rust_files;

use crate::support::repository;

/// A promise without its test is only a wish.
#[test]
fn every_test_that_security_names_exists() {
    let root = repository();
    let code: String = ["src", "tests/it", "entity/tests"]
        .iter()
        .flat_map(|folder| rust_files(&root.join(folder)))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let named: BTreeSet<String> = promises()
        .split('`')
        .filter(|word| word.contains("::") && !word.contains(['…', ' ']))
        .map(str::to_owned)
        .collect();
    assert!(named.len() > 40, "{named:?}");
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !code.contains(&format!("fn {}(", name.rsplit("::").next().unwrap())))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_source_file_that_the_architecture_names_exists() {
    let text = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let folders = ["src", "entity", "migration/src", "tests/it", "benches", "examples"];
    let files: BTreeSet<String> = folders
        .iter()
        .flat_map(|folder| rust_files(&repository().join(folder)))
        .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    // In the name of a step to come, letters stand for its number and `…` for its words.
    let is_pattern = |word: &str| word.contains("NN") || word.contains('…');
    let named = text.split('`').skip(1).step_by(2);
    let named = named.filter(|word| word.strip_suffix(".rs").is_some_and(|word| !is_pattern(word)));
    let gone: BTreeSet<_> =
        named.filter(|word| !files.contains(word.rsplit('/').next().unwrap())).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn every_promise_names_a_test() {
    let starts = |line: &str| {
        line.split_once(". **").is_some_and(|(number, _)| number.parse::<u32>().is_ok())
    };
    let mut bare = Vec::new();
    let mut current: Option<(String, bool)> = None;
    for line in promises().lines().chain(["0. **end**"]) {
        if starts(line) {
            bare.extend(current.take().filter(|(_, tested)| !tested).map(|(promise, _)| promise));
            current = Some((line.to_owned(), false));
        }
        if let Some((_, tested)) = &mut current {
            *tested |= line.contains("::") || line.contains("doc tests");
        }
    }
    assert!(bare.is_empty(), "{bare:#?}");
}

fn promises() -> String {
    let security = fs::read_to_string(repository().join("SECURITY.md")).unwrap();
    let (_, after) = security.split_once("## Promises").unwrap();
    after.split("## What is trusted").next().unwrap().to_owned()
}
