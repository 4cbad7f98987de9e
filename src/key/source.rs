//! Where a root key comes from.

use std::path::PathBuf;

use async_trait::async_trait;

use crate::crypto::{NoRandomness, RootKey, WeakKey};

/// A place that yields a root key.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// Fetches the root key, refusing one that is missing, malformed, known to all or readable by others.
    async fn root(&self) -> Result<RootKey, SourceError>;
}

/// Why a key source yields no root key.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No file.
    #[error("the key file {0} does not exist")]
    Missing(PathBuf),
    /// Group or others have some right on it.
    #[error("the key file {path} is open to others (mode {mode:04o}): it must be 0600 or 0400")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not base64 of 32 bytes.
    #[error("the key file {0} is malformed: it must hold 32 bytes in base64")]
    Malformed(PathBuf),
    /// A known default.
    #[error("the key file {0} holds a key that protects nothing: every byte of it is the same")]
    Weak(PathBuf, #[source] WeakKey),
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
