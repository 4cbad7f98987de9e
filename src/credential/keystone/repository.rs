//! Keystone's Fernet key repository: a folder with a key in each file whose name is a number.

use std::path::{Path, PathBuf};
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use fernet::Fernet;
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

/// The keys of a repository.
pub struct KeyRepository {
    keys: Vec<Fernet>,
    null: Option<Fernet>,
    newest: (PathBuf, Option<Primary>),
}

/// The key that Keystone encrypts under: the one with the highest number.
#[derive(Clone)]
pub(super) struct Primary {
    key: Fernet,
    /// Its name in Keystone's table: SHA-1 of the file as it is, blanks and all.
    pub(super) hash: String,
}

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// Not there, or not readable.
    #[error("the key repository {path}: {error}")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A numbered file does not hold a key.
    #[error("the key repository's file {0} does not hold a Fernet key")]
    Malformed(PathBuf),
    /// No key at all.
    #[error("the key repository {0} holds no key")]
    Empty(PathBuf),
    /// The primary key is all zeros: as good as plaintext.
    #[error("the key repository's newest file {0} holds the all-zero key")]
    NullPrimary(PathBuf),
}

/// What a token opened to.
pub(super) enum Decrypted {
    Under(Zeroizing<Vec<u8>>),
    /// Keystone falls back to an all-zero key when its repository is missing: as good as plaintext.
    UnderNullKey(Zeroizing<Vec<u8>>),
    Not,
}

impl KeyRepository {
    /// Reads every numbered file. Files with other names and empty files are passed over, as Keystone does.
    pub fn read(folder: &Path) -> Result<Self, RepositoryError> {
        let io = |path: &Path, error| RepositoryError::Io { path: path.to_owned(), error };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| io(folder, error))? {
            let path = entry.map_err(|error| io(folder, error))?.path();
            let Some(number) = path.file_name().and_then(|name| name.to_str()?.parse::<u64>().ok()) else { continue };
            let text = Zeroizing::new(fs::read_to_string(&path).map_err(|error| io(&path, error))?);
            if text.trim().is_empty() {
                tracing::warn!(file = %path.display(), "an empty key file is passed over");
            } else {
                files.push((number, Primary::read(&text).ok_or(RepositoryError::Malformed(path.clone()))?, path));
            }
        }
        files.sort_by_key(|(number, ..)| std::cmp::Reverse(*number));
        let Some((_, newest, path)) = files.first() else { return Err(RepositoryError::Empty(folder.to_owned())) };
        let newest = (path.clone(), newest.clone());
        let keys: Vec<_> = files.into_iter().filter_map(|(_, key, _)| key).map(|key| key.key).collect();
        if keys.is_empty() {
            return Err(RepositoryError::Empty(folder.to_owned()));
        }
        Ok(Self { keys, null: Fernet::new(&URL_SAFE.encode([0; 32])), newest })
    }

    /// The key to write under.
    pub(super) fn primary(&self) -> Result<Primary, RepositoryError> {
        let (file, primary) = &self.newest;
        primary.clone().ok_or_else(|| RepositoryError::NullPrimary(file.clone()))
    }

    /// Opens a token under whichever key authenticates it, newest first.
    pub(super) fn decrypt(&self, token: &str) -> Decrypted {
        if let Some(plain) = self.keys.iter().find_map(|key| key.decrypt(token).ok()) {
            return Decrypted::Under(Zeroizing::new(plain));
        }
        match self.null.as_ref().and_then(|key| key.decrypt(token).ok()) {
            Some(plain) => Decrypted::UnderNullKey(Zeroizing::new(plain)),
            None => Decrypted::Not,
        }
    }
}

impl Primary {
    /// A key file's text; `Some(None)` for the all-zero key, `None` when it is no key.
    #[expect(clippy::option_option, reason = "no key and the all-zero key are not the same mistake")]
    fn read(text: &str) -> Option<Option<Self>> {
        if is_null(text.trim()) {
            return Some(None);
        }
        Some(Some(Self { key: Fernet::new(text.trim())?, hash: hex::encode(Sha1::digest(text)) }))
    }

    /// Keystone's token for a blob.
    pub(super) fn encrypt(&self, blob: &str) -> String {
        self.key.encrypt(blob.as_bytes())
    }
}

fn is_null(text: &str) -> bool {
    URL_SAFE.decode(text).is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0))
}
