//! Arguments that may be secret: `-` reads them from standard input.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::exit::Exit;
use super::failure::Failure;
use crate::config::ConfigError;
use crate::db::Address;
use crate::file::{read_private, text_of};

/// The longest secret that a cell takes, and room for what a file adds to it.
const LONGEST: u64 = 2 << 20;

/// The argument itself, or for `-` a line of standard input.
pub(super) fn line(argument: &str) -> Result<Zeroizing<String>, Failure> {
    if argument != "-" {
        return Ok(Zeroizing::new(argument.to_owned()));
    }
    let text = all_of_stdin()?;
    Ok(Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Returns the text of a file with a secret, exactly as it is, or for `-` all of standard input.
pub(super) fn file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    if path == Path::new("-") {
        return all_of_stdin();
    }
    let bytes = read_private(path, Some(LONGEST))?;
    Ok(text_of(bytes, path)?)
}

/// The address of another database, from an option or its `-file` twin.
pub(super) fn address(option: &str, url: Option<&str>, path: Option<&Path>) -> Result<Address, Failure> {
    let url = match (url, path) {
        (Some(url), _) => line(url)?,
        (None, Some(path)) => file(path)?,
        (None, None) => return Err(Failure::new(Exit::Usage, "usage", format!("{option} or {option}-file is needed"))),
    };
    Ok(Address::parse(url.trim()).map_err(ConfigError::from)?)
}

fn all_of_stdin() -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(Exit::Failed, "unreadable", format!("standard input cannot be read: {error}")))?;
    Ok(text)
}
