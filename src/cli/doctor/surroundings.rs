//! The program itself, and where its settings come from. No values: they may hold passwords.

use std::path::Path;

use super::check::Check;
use crate::config::DEFAULT_FILE;

pub(super) fn program() -> Check {
    Check::ok("program", format!("strongroom {}", env!("CARGO_PKG_VERSION")))
}

/// The configuration was read before: one that cannot be read is an error of its own.
pub(super) fn configuration(named: Option<&Path>) -> Check {
    let file = match named {
        Some(file) => format!("from {}", file.display()),
        None if Path::new(DEFAULT_FILE).exists() => format!("from {DEFAULT_FILE}"),
        None => format!("no {DEFAULT_FILE} in this folder"),
    };
    let mut settings: Vec<String> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("STRONGROOM__"))
        .collect();
    settings.sort();
    let over_it = match settings.as_slice() {
        [] => "nothing from the environment".to_owned(),
        given => format!("{} from the environment", given.join(", ")),
    };
    Check::ok("configuration", format!("{file}; {over_it}"))
}
