//! Why the files of TLS cannot be used. Messages name the setting and the file, never what is in it.

use std::fmt;
use std::path::{Path, PathBuf};

use strongroom::internal::file::FileError;

/// A setting that names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// `server.certificate`
    Certificate,
    /// `server.private_key_file`
    PrivateKey,
    /// `server.client_ca`
    ClientCa,
    /// `server.client_crl`
    ClientCrl,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "server.certificate",
            Self::PrivateKey => "server.private_key_file",
            Self::ClientCa => "server.client_ca",
            Self::ClientCrl => "server.client_crl",
        })
    }
}

/// Why the files of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Cannot be read, or breaks the rule for files with secrets.
    #[error("`{setting}`: {error}")]
    Unreadable {
        /// Which setting.
        setting: Setting,
        /// Why.
        error: FileError,
    },
    /// Larger than any such file is.
    #[error("`{setting}`: {} is too large", path.display())]
    TooLarge {
        /// Which setting.
        setting: Setting,
        /// Its file.
        path: PathBuf,
    },
    /// A private key that others may read or write.
    #[error("`{}`: {} has mode {mode:04o}; nobody but its owner may have any right on it: chmod 600 it", Setting::PrivateKey, path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Nothing of the kind in it, or something broken.
    #[error("`{setting}`: {} holds no {wanted} in PEM, or a broken one", path.display())]
    NotPem {
        /// Which setting.
        setting: Setting,
        /// Its file.
        path: PathBuf,
        /// What it must hold.
        wanted: &'static str,
    },
    /// The two files do not belong together, or the key is of an unknown kind.
    #[error("`{}` does not fit `{}`: {error}", Setting::PrivateKey, Setting::Certificate)]
    Pair {
        /// Why, in words of the library's own.
        error: rustls::Error,
    },
    /// A revocation list that cannot be used.
    #[error("`{}`: {} cannot be used: {error}", Setting::ClientCrl, path.display())]
    Crl {
        /// The file.
        path: PathBuf,
        /// Why.
        error: rustls::server::VerifierBuilderError,
    },
    /// The library refuses its own defaults, which no setting can bring about.
    #[error("tls cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}

impl TlsError {
    pub(super) fn not_pem(setting: Setting, path: &Path, wanted: &'static str) -> Self {
        Self::NotPem { setting, path: path.to_owned(), wanted }
    }
}
