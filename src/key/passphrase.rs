//! A root key sealed under a passphrase: a file of JSON that is of no use without it.

use std::path::PathBuf;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::private_file::PrivateFile;
use super::{KeySource, SourceError};
use crate::crypto::{PassphraseCost, PassphraseError, RootKey, SealedRoot, open_root, seal_root};

/// Where a passphrase is.
pub enum Passphrase {
    /// In a private file; the end of its last line does not count.
    File(PathBuf),
    /// Here.
    Given(SecretString),
}

/// The key source `passphrase`.
pub struct PassphraseSource {
    passphrase: Passphrase,
    sealed_root: PrivateFile,
}

/// The sealed root as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    root: String,
}

const KDF: &str = "argon2id";
/// Invariant: every byte of a passphrase counts. A longer one is refused, and never cut.
const LONGEST: usize = 4096;

impl PassphraseSource {
    /// The sealed root need not exist yet.
    pub fn new(passphrase: Passphrase, sealed_root: impl Into<PathBuf>) -> Self {
        Self { passphrase, sealed_root: PrivateFile::new(sealed_root) }
    }

    fn passphrase(&self) -> Result<Zeroizing<String>, SourceError> {
        let text = match &self.passphrase {
            Passphrase::Given(text) => Zeroizing::new(text.expose_secret().to_owned()),
            Passphrase::File(path) => PrivateFile::new(path).read("the passphrase file")?,
        };
        let text = Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned());
        match text.len() {
            0 => {
                Err(SourceError::Malformed { what: "the passphrase".into(), wanted: "it is empty" })
            }
            1..=LONGEST => Ok(text),
            _ => Err(SourceError::TooLong { longest: LONGEST }),
        }
    }

    fn what(&self) -> String {
        format!("the sealed root {}", self.sealed_root.path().display())
    }

    fn read(&self) -> Result<SealedRoot, SourceError> {
        let text = self.sealed_root.read("the sealed root")?;
        let malformed = || SourceError::Malformed {
            what: self.what(),
            wanted: "it must be what `strongroom init` wrote",
        };
        let document: Document = serde_json::from_str(&text).map_err(|_| malformed())?;
        if document.version != 1 || document.kdf != KDF {
            return Err(malformed());
        }
        let Document { memory_kib, passes, lanes, salt, root, .. } = document;
        let salt = STANDARD
            .decode(salt)
            .ok()
            .and_then(|salt| salt.try_into().ok())
            .ok_or_else(malformed)?;
        let envelope = STANDARD.decode(root).map_err(|_| malformed())?;
        Ok(SealedRoot {
            cost: PassphraseCost { memory: memory_kib, passes, lanes },
            salt,
            envelope,
        })
    }
}

#[async_trait]
impl KeySource for PassphraseSource {
    async fn root(&self) -> Result<RootKey, SourceError> {
        let (passphrase, sealed) = (self.passphrase()?, self.read()?);
        off_the_async_threads(move || open_root(&sealed, passphrase.as_bytes()))
            .await
            .map_err(|error| self.refused(error))
    }

    async fn make_if_missing(&self) -> Result<bool, SourceError> {
        if self.sealed_root.path().exists() {
            return Ok(false);
        }
        let passphrase = self.passphrase()?;
        let work = move || {
            seal_root(&RootKey::make()?, passphrase.as_bytes(), PassphraseCost::RECOMMENDED)
        };
        let sealed = off_the_async_threads(work).await.map_err(|error| self.refused(error))?;
        let document = Document {
            version: 1,
            kdf: KDF.into(),
            memory_kib: sealed.cost.memory,
            passes: sealed.cost.passes,
            lanes: sealed.cost.lanes,
            salt: STANDARD.encode(sealed.salt),
            root: STANDARD.encode(sealed.envelope),
        };
        let text = serde_json::to_string(&document).unwrap_or_default() + "\n";
        self.sealed_root.write_new(text.as_bytes())?;
        Ok(true)
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![("source", "passphrase".to_owned())];
        if let Passphrase::File(path) = &self.passphrase {
            settings.push(("passphrase_file", path.display().to_string()));
        }
        settings.push(("sealed_root", self.sealed_root.path().display().to_string()));
        settings
    }

    fn file(&self) -> Option<PathBuf> {
        Some(self.sealed_root.path().to_owned())
    }
}

impl PassphraseSource {
    fn refused(&self, error: PassphraseError) -> SourceError {
        match error {
            PassphraseError::Wrong(_) => SourceError::WrongPassphrase { what: self.what() },
            PassphraseError::Weak(weak) => SourceError::Weak { what: self.what(), weak },
            PassphraseError::NoRandomness(error) => SourceError::NoRandomness(error),
            PassphraseError::Cost | PassphraseError::Seal(_) => {
                SourceError::Malformed { what: self.what(), wanted: "its cost is out of bounds" }
            }
        }
    }
}

/// Argon2 takes a fraction of a second, on purpose. A runtime that is going down drops the work.
async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PassphraseError> + Send + 'static,
) -> Result<T, PassphraseError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(PassphraseError::Cost))
}
