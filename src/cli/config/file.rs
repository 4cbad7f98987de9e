//! The configuration file. Refuses one that holds a secret and is open to others, and one of somebody else's
//! that nobody named.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::secret::secret_setting;
use super::{ConfigError, DEFAULT_FILE};
use strongroom::internal::file::{FileError, is_ours, open_private, read_regular, text_of};

/// No configuration is longer.
const LONGEST: u64 = 1 << 20;

/// Returns the text of the file that is named, or of the one in the working directory if there is one.
pub(super) fn read(named: Option<&Path>) -> Result<Option<Zeroizing<String>>, ConfigError> {
    let file = named.unwrap_or(Path::new(DEFAULT_FILE));
    if named.is_none() {
        if !file.exists() {
            return Ok(None);
        }
        refuse_foreign(file)?;
    }
    let text = text(file).map_err(|error| ConfigError::Unreadable("--config", error))?;
    if let Some(setting) = secret_setting(&text) {
        refuse_open(file, named.is_some(), setting)?;
    }
    Ok(Some(text))
}

/// Returns the text of a regular file.
pub(super) fn text(file: &Path) -> Result<Zeroizing<String>, FileError> {
    text_of(Zeroizing::new(read_regular(file, LONGEST)?), file)
}

/// A file that was named may be another user's, and lie where its operator put it; who can read it counts all the same.
fn refuse_open(file: &Path, is_named: bool, setting: String) -> Result<(), ConfigError> {
    match open_private(file) {
        Ok(_) => Ok(()),
        Err(FileError::OtherOwner { .. } | FileError::OpenFolder { .. }) if is_named => Ok(()),
        Err(error) => Err(ConfigError::Open { setting, error }),
    }
}

/// Whoever can write to the working directory can put a configuration there, which names key files and databases.
fn refuse_foreign(file: &Path) -> Result<(), ConfigError> {
    let unreadable =
        |error| ConfigError::Unreadable("--config", FileError::Io { path: file.to_owned(), error });
    let foreign = |why| Err(ConfigError::Foreign { file: file.to_owned(), why });
    for facts in
        [fs::symlink_metadata(file).map_err(unreadable)?, fs::metadata(file).map_err(unreadable)?]
    {
        if !is_ours(&facts) {
            return foreign(format!("belongs to another user (uid {})", facts.uid()));
        }
        let mode = facts.permissions().mode() & 0o7777;
        if !facts.is_symlink() && mode & 0o002 != 0 {
            return foreign(format!("everybody may write to it (mode {mode:04o})"));
        }
    }
    Ok(())
}
