//! Imports only go down: the packages of `src/`, the modules of the library, and the imports between the files of one module.

mod code;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tree::{Arrow, Tree, circles};

use crate::support::repository;

/// The packages of `src/` beside the library, from the ground up: each depends only on those before it.
const PACKAGES: [&str; 2] = ["api", "cli"];

/// A module's floor in the library. `entity` and `migration` are below all of them.
const FLOORS: [(&str, u8); 12] = [
    ("crypto", 1),
    ("file", 1),
    ("key", 2),
    ("db", 2),
    ("reseal", 3),
    ("schema", 3),
    ("credential", 3),
    ("policy", 3),
    ("record", 3),
    ("component", 4),
    ("audit", 4),
    ("internal", 5),
];
/// Arrows on one floor, each agreed upon.
const PEERS: [(&str, &str); 5] = [
    ("file", "crypto"),
    ("key", "db"),
    ("schema", "reseal"),
    ("record", "reseal"),
    ("credential", "reseal"),
];

/// Circles that are known, each with its reason.
const KNOWN_CIRCLES: [&str; 3] = [
    // The pin judges what the manifest's row says, and reading the row asks the pin.
    "key: epoch, manifest_row",
    // One trait with default methods, and the files with their bodies.
    "record: draft, keyed, keys, search",
    // The stage of a seal speaks the schema's errors.
    "schema: adoptable, error, inspect, sealing",
];

#[test]
fn no_import_goes_up_a_floor() {
    let floors: BTreeMap<_, _> = FLOORS.into_iter().collect();
    let floor = |module: &str| {
        *floors.get(module).unwrap_or_else(|| panic!("module `{module}` has no floor"))
    };
    let goes_up = |arrow: &Arrow| {
        arrow.within.is_empty()
            && floor(&arrow.to) >= floor(&arrow.from)
            && !PEERS.contains(&(arrow.from.as_str(), arrow.to.as_str()))
    };
    let up: Vec<_> =
        Tree::read(&repository().join("src")).arrows().into_iter().filter(goes_up).collect();
    assert!(up.is_empty(), "{up:#?}");
}

#[test]
fn no_package_depends_on_a_later_one() {
    for (place, name) in PACKAGES.iter().enumerate() {
        let file = repository().join("src").join(name).join("Cargo.toml");
        let manifest = fs::read_to_string(&file).unwrap();
        for later in &PACKAGES[place + 1..] {
            let later = format!("strongroom-{later}");
            assert!(!manifest.contains(&later), "{} names {later}", file.display());
        }
    }
    let folders = fs::read_dir(repository().join("src")).unwrap();
    let packages =
        folders.filter(|entry| entry.as_ref().unwrap().path().join("Cargo.toml").exists());
    assert_eq!(packages.count(), PACKAGES.len(), "a package of `src/` is not in the list");
}

#[test]
fn no_files_of_a_module_import_each_other_in_a_circle() {
    let source = repository().join("src");
    let mut found = circles(&Tree::read(&source).arrows());
    for package in PACKAGES {
        let of_package = circles(&Tree::read(&source.join(package)).arrows());
        found.extend(of_package.into_iter().map(|circle| format!("{package}::{circle}")));
    }
    for known in KNOWN_CIRCLES {
        assert!(found.remove(known), "the circle `{known}` is gone: take it out of the list");
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn circle_through_a_re_export_is_seen() {
    let files = [
        ("pool", "mod open;\nmod limits;\npub(crate) use limits::{Limits as Bounds, other};"),
        ("pool::open", "use super::Bounds;\npub struct Pool(Bounds);"),
        ("pool::limits", "pub struct Limits;\nfn f() -> super::open::Pool { todo!() }"),
    ];
    let found = circles(&Tree::of(&files).arrows());
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["pool: limits, open"]);
}

#[test]
fn arrow_through_a_re_export_is_seen() {
    let files = [
        ("", "pub use component::Pool;"),
        ("policy", "use crate::{db, Pool};"),
        ("component", "pub struct Pool;"),
        ("db", "#[cfg(test)]\nmod tests {\n    use crate::policy::X;\n}\n// use crate::policy::X;"),
    ];
    let arrows = Tree::of(&files).arrows();
    let arrows: Vec<_> = arrows.iter().map(|arrow| (&*arrow.from, &*arrow.to)).collect();
    assert_eq!(arrows, [("policy", "component"), ("policy", "db")]);
}

#[test]
fn the_lowest_floor_imports_nothing_of_ours() {
    let root = repository();
    for (member, barred) in [
        ("entity", "chacha20poly1305"),
        ("entity/derive", "chacha20poly1305"),
        ("migration", "strongroom-entity"),
        ("migration", "chacha20poly1305"),
    ] {
        let manifest = fs::read_to_string(root.join(member).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains(barred), "{member} depends on {barred}");
    }
    for file in rust_files(&root.join("src/crypto")) {
        let text = fs::read_to_string(&file).unwrap();
        for barred in ["strongroom_entity", "strongroom_migration", "sea_orm", "tokio", "std::time"]
        {
            assert!(!text.contains(barred), "{} names {barred}", file.display());
        }
    }
}

pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
