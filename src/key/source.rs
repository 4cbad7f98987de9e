//! Where a root key comes from.

use std::path::PathBuf;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::crypto::{NoRandomness, RootKey, WeakKey};

/// A place that yields a root key.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// Fetches the root key, refusing one that is missing, malformed, known to all or readable by others.
    async fn root(&self) -> Result<RootKey, SourceError>;
}

/// Why a key source yields no root key. `what` names the source for a person, never what it holds.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing there.
    #[error("{what} does not exist")]
    Missing {
        /// The source.
        what: String,
    },
    /// Group or others have some right on it.
    #[error("the key file {path} is open to others (mode {mode:04o}): it must be 0600 or 0400")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not base64 of 32 bytes.
    #[error("{what} is malformed: it must hold 32 bytes in base64")]
    Malformed {
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
    /// A key is there already, and is never overwritten.
    #[error("the key file {0} exists already")]
    Exists(PathBuf),
    /// See [`NoRandomness`].
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The file cannot be read or written.
    #[error("the key file {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Reads a key as every source writes it: 32 bytes in base64, blanks around it allowed.
pub(super) fn parse(text: &str, what: &str) -> Result<RootKey, SourceError> {
    let malformed = || SourceError::Malformed { what: what.to_owned() };
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| malformed())?);
    let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
    RootKey::from_bytes(key).map_err(|weak| SourceError::Weak { what: what.to_owned(), weak })
}
