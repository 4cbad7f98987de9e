//! What Keystone's own configuration file says of its database and its credential keys.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::oslo::{OptionError, OptionFile};

/// Keystone's default of `[credential] key_repository`.
const KEY_REPOSITORY: &str = "/etc/keystone/credential-keys/";

/// The two settings that an import and an export need.
pub(crate) struct KeystoneConfig {
    /// `[database] connection`, in SQLAlchemy's form; none where the file does not set it.
    pub(crate) connection: Option<Zeroizing<String>>,
    /// `[credential] key_repository`.
    pub(crate) key_repository: PathBuf,
}

/// Why Keystone's configuration file cannot be used. Holds no value of the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeystoneConfigError {
    #[error("Keystone's configuration {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("Keystone's configuration {}: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
}

impl KeystoneConfig {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, KeystoneConfigError> {
        let text = fs::read_to_string(path).map(Zeroizing::new);
        let text =
            text.map_err(|error| KeystoneConfigError::Unreadable { path: path.to_owned(), error })?;
        Self::parse(&text).map_err(|error| KeystoneConfigError::Malformed {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    fn parse(text: &str) -> Result<Self, OptionError> {
        let file = OptionFile::parse(text)?;
        let repository = file.value("credential", "key_repository")?;
        Ok(Self {
            connection: file.value("database", "connection")?,
            key_repository: repository
                .map_or_else(|| KEY_REPOSITORY.into(), |path| PathBuf::from(path.as_str())),
        })
    }
}
