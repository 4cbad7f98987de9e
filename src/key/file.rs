//! A root key in a file: 32 random bytes in base64, mode 0600 or 0400.

use std::path::PathBuf;

use async_trait::async_trait;

use super::private_file::PrivateFile;
use super::source::{parse, text_of};
use super::{KeySource, SourceError};
use crate::crypto::RootKey;
use crate::file::FileError;

/// The key source `file`.
pub struct FileSource(PrivateFile);

impl FileSource {
    /// The file need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(PrivateFile::new(path))
    }
}

#[async_trait]
impl KeySource for FileSource {
    async fn root(&self) -> Result<RootKey, SourceError> {
        let text = self.0.read("the key file")?;
        parse(&text, &format!("the key file {}", self.0.path().display()))
    }

    async fn make_if_missing(&self) -> Result<bool, SourceError> {
        match self.0.write_new(text_of(&RootKey::make()?).as_bytes()) {
            Ok(()) => Ok(true),
            Err(SourceError::File(FileError::Exists(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("source", "file".to_owned()), ("file", self.0.path().display().to_string())]
    }

    fn file(&self) -> Option<PathBuf> {
        Some(self.0.path().to_owned())
    }
}
