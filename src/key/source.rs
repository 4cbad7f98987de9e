//! Where a root key comes from.

use std::path::PathBuf;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::crypto::{NoRandomness, RootKey, WeakKey};
use crate::file::FileError;

/// A place that yields a root key.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// Fetches the root key, refusing one that is missing, malformed, known to all or readable by others.
    async fn root(&self) -> Result<RootKey, SourceError>;

    /// Makes a new root where there is none yet; true when one was made. Nothing is ever overwritten.
    async fn make_if_missing(&self) -> Result<bool, SourceError>;

    /// The settings of `[keys]` that name this source.
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// The file that must be backed up, if there is one.
    fn file(&self) -> Option<PathBuf>;
}

/// Why a key source yields no root key. `what` names the source for a person, never what it holds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing there.
    #[error("{what} does not exist")]
    Missing {
        /// The source.
        what: String,
    },
    /// Longer than any passphrase.
    #[error("the passphrase is longer than {longest} bytes")]
    TooLong {
        /// The limit.
        longest: usize,
    },
    /// Not what it must be.
    #[error("{what} is malformed: {wanted}")]
    Malformed {
        /// The source.
        what: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The passphrase is another one, or the sealed root was altered.
    #[error("the passphrase does not open {what}")]
    WrongPassphrase {
        /// The source.
        what: String,
    },
    /// A known default.
    #[error("{what} holds a key that protects nothing: every byte of it is the same")]
    Weak {
        /// The source.
        what: String,
        /// See [`WeakKey`].
        #[source]
        weak: WeakKey,
    },
    /// See [`NoRandomness`].
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The file breaks the rule for files with secrets, or cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A key as every source writes it: a line of base64.
pub fn text_of(root: &RootKey) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(root.dangerous_expose()) + "\n")
}

/// Reads a key as every source writes it: 32 bytes in base64, blanks around it allowed.
pub(super) fn parse(text: &str, what: &str) -> Result<RootKey, SourceError> {
    let malformed = || SourceError::Malformed {
        what: what.to_owned(),
        wanted: "it must hold 32 bytes in base64",
    };
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| malformed())?);
    let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
    RootKey::from_bytes(key).map_err(|weak| SourceError::Weak { what: what.to_owned(), weak })
}
