//! Why certificates for development were not made.

use std::io;
use std::path::PathBuf;

use strongroom::internal::file::FileError;

/// Why certificates for development were not made. Quotes names, and nothing of any file.
#[derive(Debug, thiserror::Error)]
pub enum DevCertsError {
    /// Not the name of a trust domain.
    #[error(
        "`{name}` cannot name a trust domain: 1 to 255 lowercase letters, digits, `.`, `-` and `_`"
    )]
    TrustDomain {
        /// The name.
        name: String,
    },
    /// Not the name of a component, or of one whose files would be somebody else's.
    #[error(
        "`{name}` cannot name a component here: a lowercase letter, then at most 17 lowercase letters, digits and `_`, the end neither `_a` nor `_b`, and neither `ca`, `server` nor `crl`"
    )]
    Component {
        /// The name.
        name: String,
    },
    /// Not the name of a host.
    #[error("`{name}` cannot name a host")]
    Host {
        /// The name.
        name: String,
    },
    /// A certificate without its key, or a key without its certificate.
    #[error("{} is there, but {} is not: put it back, or remove the other one too", there.display(), missing.display())]
    HalfPair {
        /// What is there.
        there: PathBuf,
        /// What is not.
        missing: PathBuf,
    },
    /// The authority's files are of no use, or do not belong together.
    #[error("{} and {} are not an authority's certificate and its key", certificate.display(), key.display())]
    NotAnAuthority {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The authority's time is over.
    #[error("the authority in {} has expired: move it and its key away, then make all certificates anew with `--renew`", path.display())]
    Expired {
        /// The certificate's file.
        path: PathBuf,
    },
    /// A key that others may read or write.
    #[error("{} has mode {mode:04o}; nobody but its owner may have any right on it: chmod 600 it", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A key that breaks the rule for files with secrets otherwise.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate that is to be revoked and was not signed by this authority, or cannot be read.
    #[error("{} holds no certificate that this authority has signed", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A revocation list that is there and cannot be read.
    #[error("{} holds no revocation list in PEM", path.display())]
    NotACrl {
        /// The file.
        path: PathBuf,
    },
    /// Not to be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Signing failed.
    #[error("a certificate cannot be made: {0}")]
    Sign(#[from] rcgen::Error),
}
