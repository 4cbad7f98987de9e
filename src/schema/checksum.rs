//! What was applied, as a digest: an edited step must not pass for the one that ran.

use sha2::{Digest as _, Sha256};
use strongroom_migration::{Engine, Phases, Step};

/// SHA-256, in hex, over a step's name and its SQL on one engine. Comments and blanks at the ends of
/// lines do not count, nor does SQL that the engine has no use for.
pub fn checksum(step: &dyn Step, engine: Engine) -> String {
    let mut digest = Sha256::new();
    add(&mut digest, step.name());
    for sql in step.up_sql().into_iter().chain(step.down_sql()) {
        let text = sql.of(engine);
        if !text.is_empty() {
            add(&mut digest, &without_comments(&text));
        }
    }
    // What runs between two phases is that of today's table and of this version.
    if let Some(Phases { table, below, above }) = step.phases() {
        add(&mut digest, &format!("{table}: {} to {}", below.as_str(), above.as_str()));
    }
    if let Some(table) = step.scrubs() {
        add(&mut digest, &format!("{table}: scrubbed"));
    }
    hex::encode(digest.finalize())
}

pub(super) fn add(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_be_bytes());
    digest.update(text);
}

pub(super) fn without_comments(sql: &str) -> String {
    let lines = sql
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.trim_start().starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}
