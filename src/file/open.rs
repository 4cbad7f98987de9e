//! Opening a file that must be a regular one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::FileError;

/// Opens a regular file for reading; symbolic links are followed. Never waits for the writer of a pipe.
pub(super) fn open_regular(path: &Path) -> Result<File, FileError> {
    let failed = |error| failed(path, error);
    // Before it is opened, because opening a device can have effects; and after, because it may have been exchanged.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(FileError::NotRegular(path.to_owned()));
    }
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    if file.metadata().map_err(failed)?.is_file() {
        Ok(file)
    } else {
        Err(FileError::NotRegular(path.to_owned()))
    }
}

/// Reads a whole regular file that holds no secret, unless it is longer than `longest`.
pub fn read_regular(path: &Path, longest: u64) -> Result<Vec<u8>, FileError> {
    Ok(std::mem::take(&mut *read(open_regular(path)?, path, longest)?))
}

/// Reads an open file to its end, and refuses to cut a longer one.
pub(super) fn read(file: File, path: &Path, longest: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let length = file.metadata().map_err(|error| failed(path, error))?.len().min(longest);
    // As large as it can become: growing would leave copies of a secret behind.
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 2));
    file.take(longest + 1).read_to_end(&mut bytes).map_err(|error| failed(path, error))?;
    if bytes.len() as u64 > longest {
        return Err(FileError::TooLong { path: path.to_owned(), longest });
    }
    Ok(bytes)
}

pub(super) fn failed(path: &Path, error: io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound => FileError::Missing(path.to_owned()),
        _ => FileError::Io { path: path.to_owned(), error },
    }
}
