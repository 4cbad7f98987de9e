//! `[keys]`: where root keys come from.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::ConfigError;
use strongroom::key::{EnvironmentSource, FileSource, KeySource, Passphrase, PassphraseSource};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Keys {
    source: Option<String>,
    file: Option<PathBuf>,
    env: Option<String>,
    passphrase: Option<SecretString>,
    passphrase_file: Option<PathBuf>,
    sealed_root: Option<PathBuf>,
    pub(super) minimum_epoch: i64,
    epoch_file: Option<PathBuf>,
    next: Option<NextKeys>,
}

/// `[keys.next]`: the same settings, for the root that comes next.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NextKeys {
    source: Option<String>,
    file: Option<PathBuf>,
    env: Option<String>,
    passphrase: Option<SecretString>,
    passphrase_file: Option<PathBuf>,
    sealed_root: Option<PathBuf>,
}

impl Keys {
    pub(super) fn source(&self) -> Result<Box<dyn KeySource>, ConfigError> {
        let Keys { source, file, env, passphrase, passphrase_file, sealed_root, .. } = self;
        let source = source.as_deref().unwrap_or("file");
        SourceSettings { source, file, env, passphrase, passphrase_file, sealed_root }.source()
    }

    /// Whether the file for epochs is named by itself, and not after the key file.
    pub(super) fn names_epoch_file(&self) -> bool {
        self.epoch_file.is_some()
    }

    /// Where this host remembers epochs; none for a source without a file, unless it is set.
    pub(super) fn epoch_file(&self) -> Result<Option<PathBuf>, ConfigError> {
        if let Some(file) = &self.epoch_file {
            return Ok(Some(file.clone()));
        }
        Ok(self.source()?.file().map(epoch_file_beside))
    }

    pub(super) fn next_source(&self) -> Result<Option<Box<dyn KeySource>>, ConfigError> {
        let Some(NextKeys { source, file, env, passphrase, passphrase_file, sealed_root }) =
            &self.next
        else {
            return Ok(None);
        };
        let source = source.as_deref().ok_or(ConfigError::Unset("keys.next.source"))?;
        SourceSettings { source, file, env, passphrase, passphrase_file, sealed_root }
            .source()
            .map(Some)
    }
}

/// The settings of one key source.
struct SourceSettings<'a> {
    source: &'a str,
    file: &'a Option<PathBuf>,
    env: &'a Option<String>,
    passphrase: &'a Option<SecretString>,
    passphrase_file: &'a Option<PathBuf>,
    sealed_root: &'a Option<PathBuf>,
}

impl SourceSettings<'_> {
    fn source(&self) -> Result<Box<dyn KeySource>, ConfigError> {
        match self.source {
            "file" => Ok(Box::new(FileSource::new(
                self.file.as_deref().unwrap_or(Path::new("strongroom.key")),
            ))),
            "env" => Ok(Box::new(EnvironmentSource::new(
                self.env.as_deref().unwrap_or("STRONGROOM_ROOT_KEY"),
            ))),
            "passphrase" => {
                let passphrase = match (self.passphrase, self.passphrase_file) {
                    (Some(_), Some(_)) => return Err(ConfigError::Twice("keys.passphrase")),
                    (Some(text), None) => Passphrase::Given(text.clone()),
                    (None, Some(file)) => Passphrase::File(file.clone()),
                    (None, None) => return Err(ConfigError::Unset("keys.passphrase_file")),
                };
                let sealed_root =
                    self.sealed_root.clone().unwrap_or_else(|| sealed_root_beside(&passphrase));
                Ok(Box::new(PassphraseSource::new(passphrase, sealed_root)))
            }
            other => Err(ConfigError::Source(other.to_owned())),
        }
    }
}

/// Where epochs are remembered unless something else is said: beside the key file, named after it.
pub(super) fn epoch_file_beside(key: PathBuf) -> PathBuf {
    let mut beside = key.into_os_string();
    beside.push(".epoch");
    beside.into()
}

/// Where the sealed root is unless something else is said: beside the passphrase file, named after it.
pub(crate) fn sealed_root_beside(passphrase: &Passphrase) -> PathBuf {
    match passphrase {
        Passphrase::File(file) => {
            let mut beside = file.clone().into_os_string();
            beside.push(".root");
            beside.into()
        }
        Passphrase::Given(_) => "strongroom.root".into(),
    }
}
