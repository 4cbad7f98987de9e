//! A file of a key source, held to the rule for files with secrets.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::SourceError;
use crate::file::{FileError, read_private, text_of, write_new_private};

/// A private file, which need not exist yet.
pub(super) struct PrivateFile(PathBuf);

impl PrivateFile {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns its text. `kind` is what a person calls it.
    pub(super) fn read(&self, kind: &str) -> Result<Zeroizing<String>, SourceError> {
        let what = || format!("{kind} {}", self.0.display());
        let text = read_private(&self.0, None).and_then(|bytes| text_of(bytes, &self.0));
        text.map_err(|error| match error {
            FileError::Missing(path) if path == self.0 => SourceError::Missing { what: what() },
            FileError::NotText(_) => {
                SourceError::Malformed { what: what(), wanted: "it must be text" }
            }
            error => error.into(),
        })
    }

    /// Writes a new file, whole or not at all, and never over an existing one.
    pub(super) fn write_new(&self, text: &[u8]) -> Result<(), SourceError> {
        Ok(write_new_private(&self.0, text)?)
    }
}
