//! Keystone's Fernet key repository: a folder with a key in each file whose name is a number.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use fernet::Fernet;
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use super::python::urlsafe_b64decode;

/// The keys of a repository.
pub struct KeyRepository {
    keys: Vec<Fernet>,
    null: Option<Fernet>,
    newest: (PathBuf, Option<Primary>),
    /// Every `key_hash` that one of these keys may have in Keystone's table.
    hashes: HashSet<String>,
}

/// The key that Keystone encrypts under: the one with the highest number.
#[derive(Clone)]
pub(super) struct Primary {
    key: Fernet,
    /// Its name in Keystone's table: SHA-1 of the file's text, blanks included.
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
    /// Reads every numbered file. Ignores other names, everything but files, and empty files, as Keystone does.
    pub fn read(folder: &Path) -> Result<Self, RepositoryError> {
        let mut files = key_files(folder)?;
        files.sort_by(|(left, _), (right, _)| right.cmp(left));
        let mut read = Vec::new();
        let mut hashes = HashSet::new();
        for (_, path) in files {
            let text = Zeroizing::new(fs::read(&path).map_err(|error| io_error(&path, error))?);
            if text.trim_ascii().is_empty() {
                tracing::warn!(file = %path.display(), "an empty key file is passed over");
                continue;
            }
            let primary =
                Primary::read(&text).ok_or_else(|| RepositoryError::Malformed(path.clone()))?;
            hashes.extend(hashes_of(&text));
            read.push((path, primary));
        }
        let newest =
            read.first().cloned().ok_or_else(|| RepositoryError::Empty(folder.to_owned()))?;
        let keys: Vec<_> = read.into_iter().filter_map(|(_, key)| key).map(|key| key.key).collect();
        if keys.is_empty() {
            return Err(RepositoryError::Empty(folder.to_owned()));
        }
        Ok(Self { keys, null: Fernet::new(&URL_SAFE.encode([0; 32])), newest, hashes })
    }

    /// Whether one of these keys has this `key_hash`.
    pub(super) fn has_hash(&self, key_hash: &str) -> bool {
        self.hashes.contains(key_hash)
    }

    /// The key to write under.
    pub(super) fn primary(&self) -> Result<Primary, RepositoryError> {
        let (file, primary) = &self.newest;
        primary.clone().ok_or_else(|| RepositoryError::NullPrimary(file.clone()))
    }

    /// Opens a token under the key that authenticates it, newest first.
    pub(super) fn decrypt(&self, token: &str) -> Decrypted {
        let Some(token) = urlsafe_b64decode(token.as_bytes()) else { return Decrypted::Not };
        let token = URL_SAFE.encode(&*token);
        if let Some(plain) = self.keys.iter().find_map(|key| key.decrypt(&token).ok()) {
            return Decrypted::Under(Zeroizing::new(plain));
        }
        match self.null.as_ref().and_then(|key| key.decrypt(&token).ok()) {
            Some(plain) => Decrypted::UnderNullKey(Zeroizing::new(plain)),
            None => Decrypted::Not,
        }
    }
}

impl Primary {
    /// Reads a key file; `Some(None)` is the all-zero key, `None` no key. Python refuses a key that is not ASCII.
    #[expect(
        clippy::option_option,
        reason = "no key and the all-zero key are not the same mistake"
    )]
    fn read(text: &[u8]) -> Option<Option<Self>> {
        let key = urlsafe_b64decode(text).filter(|key| text.is_ascii() && key.len() == 32)?;
        if key.iter().all(|byte| *byte == 0) {
            return Some(None);
        }
        let encoded = Zeroizing::new(URL_SAFE.encode(&*key));
        Some(Some(Self { key: Fernet::new(&encoded)?, hash: sha1(&as_python_reads(text)) }))
    }

    /// Keystone's token for a blob.
    pub(super) fn encrypt(&self, blob: &str) -> String {
        self.key.encrypt(blob.as_bytes())
    }
}

/// Lists the files whose name is a number, with the number.
fn key_files(folder: &Path) -> Result<Vec<(Number, PathBuf)>, RepositoryError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| io_error(folder, error))? {
        let path = entry.map_err(|error| io_error(folder, error))?.path();
        // Kubernetes mounts keys as symbolic links, which `metadata` follows.
        let is_file = || fs::metadata(&path).is_ok_and(|found| found.is_file());
        if let Some(number) =
            path.file_name().and_then(|name| number(name.to_str()?)).filter(|_| is_file())
        {
            files.push((number, path));
        }
    }
    Ok(files)
}

/// A number of any length, in numeric order: how many digits, and which.
type Number = (usize, String);

fn number(name: &str) -> Option<Number> {
    let is_numeric = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let digits = name.trim_start_matches('0');
    is_numeric.then(|| (digits.len(), digits.to_owned()))
}

/// Names that a key has had in Keystone's table: by the file's text as Python reads it, as it is, and without blanks.
fn hashes_of(text: &[u8]) -> [String; 3] {
    [sha1(&as_python_reads(text)), sha1(text), sha1(text.trim_ascii())]
}

/// Python reads every line end as `\n`.
fn as_python_reads(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut read = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' {
            bytes.next_if_eq(&b'\n');
        }
        read.push(if byte == b'\r' { b'\n' } else { byte });
    }
    read
}

fn sha1(text: &[u8]) -> String {
    hex::encode(Sha1::digest(text))
}

fn io_error(path: &Path, error: io::Error) -> RepositoryError {
    RepositoryError::Io { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_numbers_of_any_length() {
        let names = ["9", "10", "007", "18446744073709551616", "0"];
        let mut numbers: Vec<_> = names.iter().map(|name| (number(name).unwrap(), *name)).collect();
        numbers.sort();
        let sorted: Vec<_> = numbers.into_iter().map(|(_, name)| name).collect();
        assert_eq!(sorted, ["0", "007", "9", "10", "18446744073709551616"]);
        for name in ["", "0.tmp", "+1", "-1", "1_0", " 1", "1 ", "\u{661}", "x"] {
            assert!(number(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn a_key_file_hashes_as_python_reads_it() {
        assert_eq!(*as_python_reads(b"a\r\nb\rc\n\r"), b"a\nb\nc\n\n");
    }
}
