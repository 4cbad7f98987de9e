//! Files with secrets: read under the rule, and written so that it holds.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::open::{failed, open_regular, read};
use super::rule::{folder_of, refuse_replaceable, refuse_unless_private};
use super::{FileError, LONGEST};
use crate::crypto::make_bytes;

/// Opens a file that holds a secret.
pub fn open_private(path: &Path) -> Result<File, FileError> {
    let file = open_regular(path)?;
    refuse_unless_private(path, &file)?;
    Ok(file)
}

/// Reads a file that holds a secret, unless it is longer than `longest`, or than any secret.
pub fn read_private(path: &Path, longest: Option<u64>) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read(open_private(path)?, path, longest.unwrap_or(LONGEST))
}

/// Writes a new file of mode 0600, whole or not at all, and never over an existing one.
pub fn write_new_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    refuse_replaceable(path)?;
    put(path, bytes, |from, to| fs::hard_link(from, to)).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(path.to_owned()),
        _ => failed(path, error),
    })
}

/// Writes a file of mode 0600, whole or not at all, over a regular file that is there.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::symlink_metadata(&target).is_ok_and(|facts| !facts.is_file()) {
        return Err(FileError::NotRegular(path.to_owned()));
    }
    put(&target, bytes, |from, to| fs::rename(from, to)).map_err(|error| failed(path, error))
}

/// Writes next to the target, then puts it into place, so that a crash leaves no half file behind.
fn put(path: &Path, bytes: &[u8], place: fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let beside = name_beside(path)?;
    let placed = write_synced(&beside, bytes).and_then(|()| place(&beside, path));
    // A rename took it along.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return placed.and(Err(error)),
        _ => placed?,
    }
    File::open(folder_of(path))?.sync_all()
}

fn name_beside(path: &Path) -> io::Result<PathBuf> {
    let suffix = hex::encode(make_bytes::<8>().map_err(io::Error::other)?);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{suffix}.tmp"));
    Ok(name.into())
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
