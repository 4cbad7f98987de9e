//! Arrows go down only: the rooms, their floors, and a walk through every `use`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A room's floor. Members of the workspace are below every room of `src/`.
const FLOORS: [(&str, u8); 14] = [
    ("crypto", 1),
    ("file", 1),
    ("key", 2),
    ("db", 2),
    ("reseal", 3),
    ("schema", 3),
    ("credential", 3),
    ("policy", 3),
    ("audit", 3),
    ("record", 3),
    ("api", 4),
    ("config", 4),
    ("cli", 4),
    ("main", 5),
];
/// Arrows on one floor, each agreed upon.
const PEERS: [(&str, &str); 6] = [
    ("file", "crypto"),
    ("schema", "reseal"),
    ("record", "reseal"),
    ("credential", "reseal"),
    ("cli", "config"),
    ("cli", "api"),
];

#[test]
fn no_import_goes_up_a_floor() {
    let floors: BTreeMap<_, _> = FLOORS.into_iter().collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
        let room = room_of(file.strip_prefix(&source).unwrap());
        let Some(from) = floors.get(room.as_str()) else {
            assert_eq!(room, "lib", "{}: a room without a floor", file.display());
            continue;
        };
        for used in imports(&fs::read_to_string(&file).unwrap()) {
            let to = floors
                .get(used.as_str())
                .unwrap_or_else(|| panic!("{}: unknown room {used}", file.display()));
            let allowed =
                used == room || to < from || PEERS.contains(&(room.as_str(), used.as_str()));
            if !allowed {
                wrong.push(format!("{}: {room} imports {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_lowest_floor_imports_nothing_of_ours() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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

fn room_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Every `crate::room`, in `use` lines and in paths, and `crate::{a, b}`.
fn imports(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let word = |text: &str| {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with('$'))
        .map(|(at, found)| word(&code[at + found.len()..]))
        .inspect(|room| {
            assert!(!room.is_empty(), "spell imports of other rooms out, one line a room");
        })
        .collect()
}

pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
