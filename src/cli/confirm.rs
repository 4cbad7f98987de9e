//! Agreement to steps that destroy something.

use std::io::IsTerminal as _;

use super::failure::Failure;
use super::output::write_err;
use super::session::Session;
use super::typed;

/// The next command; not repeated where an argument may hold a password.
fn again() -> String {
    match typed::this_command_with("--yes") {
        Some(command) => format!("if that is meant: `{command}`"),
        None => "if that is meant, run it again with --yes".to_owned(),
    }
}

/// Asks on a terminal; elsewhere only `--yes` agrees.
pub(super) fn confirm(session: &Session, what: &[String]) -> Result<(), Failure> {
    if session.yes() {
        return Ok(());
    }
    let list = what.iter().fold(String::new(), |list, line| list + "\n  - " + line);
    let refused =
        || Failure::refused("needs_yes", format!("this needs agreement{list}")).help(again());
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(refused());
    }
    write_err(&format!("This will do what cannot be taken for granted:{list}\nGo on? [y/N]"));
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(refused()) }
}
