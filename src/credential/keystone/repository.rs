//! Keystone's Fernet key repository: a folder with a key in each file whose name is a number.

use std::path::{Path, PathBuf};
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use fernet::Fernet;
use zeroize::Zeroizing;

/// The keys of a repository.
pub struct KeyRepository {
    keys: Vec<Fernet>,
    null: Option<Fernet>,
}

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
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
        let mut keys = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| io(folder, error))? {
            let path = entry.map_err(|error| io(folder, error))?.path();
            let Some(number) = path.file_name().and_then(|name| name.to_str()?.parse::<u64>().ok()) else { continue };
            let text = Zeroizing::new(fs::read_to_string(&path).map_err(|error| io(&path, error))?);
            if text.trim().is_empty() {
                tracing::warn!(file = %path.display(), "an empty key file is passed over");
            } else if !is_null(text.trim()) {
                keys.push((number, Fernet::new(text.trim()).ok_or(RepositoryError::Malformed(path))?));
            }
        }
        if keys.is_empty() {
            return Err(RepositoryError::Empty(folder.to_owned()));
        }
        keys.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let null = Fernet::new(&URL_SAFE.encode([0; 32]));
        Ok(Self { keys: keys.into_iter().map(|(_, key)| key).collect(), null })
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

fn is_null(text: &str) -> bool {
    URL_SAFE.decode(text).is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0))
}
