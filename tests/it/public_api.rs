//! What a program that links these crates can name, as snapshots. `INSTA_UPDATE=always cargo test public_api` renews
//! them; a line that goes or changes is a breaking change, and the changelog says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use public_api::Builder;
use serde_json::Value;

use crate::support::repository;

const CRATES: [&str; 4] =
    ["strongroom", "strongroom-entity", "strongroom-migration", "strongroom-derive"];

/// The crate as a data-access layer: neither program nor service.
const FEATURES: &[&str] = &["--features", "postgres,mysql,sqlite"];

/// Of rustdoc's JSON, as Rust 1.93 to 1.95 write it and `public-api` =0.52.1 reads it. The two change together.
const FORMAT: u64 = 57;

#[test]
fn nothing_becomes_public_or_goes_unseen() {
    let folder = described();
    for name in CRATES {
        let description = folder.join(name.replace('-', "_")).with_extension("json");
        expect_format(&description);
        insta::assert_snapshot!(name, surface(&description));
    }
}

/// Without what every type has: `Send` and its like, and what the standard library gives to all.
fn surface(description: &Path) -> String {
    let surface = Builder::from_rustdoc_json(description)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build();
    surface.unwrap().to_string()
}

/// Another format is never skipped: an unread surface would pass for an unchanged one.
fn expect_format(description: &Path) {
    let json: Value = serde_json::from_slice(&fs::read(description).unwrap()).unwrap();
    let format = json["format_version"].as_u64();
    assert!(
        format == Some(FORMAT),
        "this compiler describes a crate in rustdoc's JSON format {format:?}, and this test reads {FORMAT}. Run it with \
         Rust 1.95 (`cargo +1.95 test public_api`), or set `public-api` in Cargo.toml to the version that reads yours \
         (its `rustdoc-types` has the format's number), and FORMAT here."
    );
}

/// rustdoc's JSON needs a nightly, or a stable compiler that is told to act as one. The folder is its own, for with
/// other features and another `RUSTC_BOOTSTRAP` everything is built anew.
fn described() -> PathBuf {
    let target = repository().join("target/public-api");
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(repository())
        .args(["doc", "--lib", "--no-deps", "--quiet", "--offline"])
        .args(FEATURES);
    cargo.args(CRATES.iter().flat_map(|name| ["--package", name]));
    cargo.args(["--config", "profile.dev.package.libsqlite3-sys.opt-level=0"]);
    cargo.env("CARGO_TARGET_DIR", &target).env("RUSTC_BOOTSTRAP", "1");
    cargo.env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow");
    let done = cargo.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    target.join("doc")
}
