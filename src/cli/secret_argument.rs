//! Arguments that may be secret: `-` reads them from standard input.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::exit::Exit;
use super::failure::Failure;
use strongroom::internal::file::{self, FileError, read_private};

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
    let bytes = match read_private(path, Some(LONGEST)) {
        // Named for one command, often by a shell: `--secret-file <(pass show x)`.
        Err(FileError::NotRegular(_)) => read_any(path)?,
        Err(error) if error.is_open() => {
            tracing::warn!("{error}: close it, and consider what is in it known to others");
            read_any(path)?
        }
        read => read?,
    };
    Ok(file::text_of(bytes, path)?)
}

fn read_any(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read =
        std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    read.map_err(|error| {
        Failure::new(
            Exit::Failed,
            "unreadable",
            format!("{} cannot be read: {error}", path.display()),
        )
    })?;
    Ok(bytes)
}

/// Returns the text of an option, or of its `-file` twin.
pub(super) fn text_of(
    argument: Option<&str>,
    path: Option<&Path>,
) -> Result<Option<Zeroizing<String>>, Failure> {
    match (argument, path) {
        (Some(argument), _) => line(argument).map(Some),
        (None, Some(path)) => file(path).map(Some),
        (None, None) => Ok(None),
    }
}

fn all_of_stdin() -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        Failure::new(Exit::Failed, "unreadable", format!("standard input cannot be read: {error}"))
    })?;
    Ok(text)
}
