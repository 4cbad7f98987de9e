//! Agreement to steps that destroy something.

use std::io::IsTerminal as _;

use super::failure::Failure;
use super::output::write_err;
use super::session::Session;

/// Asks on a terminal; elsewhere only `--yes` agrees.
pub(super) fn confirm(session: &Session, what: &[String]) -> Result<(), Failure> {
    if session.yes() || what.is_empty() {
        return Ok(());
    }
    let refused = || {
        let message = format!("this destroys something: {}", what.join("; "));
        Failure::refused("needs_yes", message).help("run it again with --yes if that is meant")
    };
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(refused());
    }
    for line in what {
        write_err(&format!("  {line}"));
    }
    write_err("Go on? [y/N]");
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(refused()) }
}
