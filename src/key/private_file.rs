//! A file that only its owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::SourceError;
use crate::crypto::make_bytes;

/// Nothing that is kept in one is longer; a longer file is not read to its end.
const LONGEST: u64 = 4096;

/// A private file, which need not exist yet.
pub(super) struct PrivateFile(PathBuf);

impl PrivateFile {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Its text; refused where group or others have any right on it. `kind` is what a person calls it.
    pub(super) fn read(&self, kind: &str) -> Result<Zeroizing<String>, SourceError> {
        let what = || format!("{kind} {}", self.0.display());
        let file = File::open(&self.0).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SourceError::Missing { what: what() },
            _ => self.io(error),
        })?;
        self.refuse_if_open_to_others(&file)?;
        let mut text = Zeroizing::new(String::new());
        let read = file.take(LONGEST).read_to_string(&mut text);
        read.map_err(|_| SourceError::Malformed { what: what(), wanted: "it must be text" })?;
        Ok(text)
    }

    /// Writes a new file, whole or not at all, and never over an existing one: beside the target, then
    /// linked into place, so that a crash leaves no half file behind.
    pub(super) fn write_new(&self, text: &[u8]) -> Result<(), SourceError> {
        let written = self.write_and_link(text);
        written.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => SourceError::Exists(self.0.clone()),
            _ => self.io(error),
        })
    }

    fn write_and_link(&self, text: &[u8]) -> io::Result<()> {
        let suffix = hex::encode(make_bytes::<8>().map_err(io::Error::other)?);
        let beside = self.0.with_extension(format!("{suffix}.tmp"));
        let written = write_synced(&beside, text).and_then(|()| fs::hard_link(&beside, &self.0));
        fs::remove_file(&beside)?;
        written?;
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }

    /// Asks the open file, not the path, so that it cannot be exchanged in between.
    fn refuse_if_open_to_others(&self, file: &File) -> Result<(), SourceError> {
        let mode = file.metadata().map_err(|error| self.io(error))?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SourceError::Readable { path: self.0.clone(), mode });
        }
        Ok(())
    }

    fn io(&self, error: io::Error) -> SourceError {
        SourceError::Io { path: self.0.clone(), error }
    }
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}
