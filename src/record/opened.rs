//! A value that came out of a cell.

use std::fmt;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use strongroom_entity::{Binding, Label};

use super::RecordError;
use crate::crypto;
use crate::key::OpenFailure;

/// A value that came out of a cell. Wiped when dropped, and cannot be printed.
///
/// It knows the row that it came from, so that a [`Draft`](super::Draft) can seal it again for another owner.
pub struct Opened {
    value: crypto::Opened,
    label: &'static str,
    from: Box<Binding>,
}

impl Opened {
    pub(super) fn new<L: Label>(_: L, value: crypto::Opened, from: &Binding) -> Self {
        Self { value, label: L::LABEL, from: Box::new(from.clone()) }
    }

    /// The plaintext.
    pub fn as_bytes(&self) -> &[u8] {
        self.value.as_bytes()
    }

    /// The plaintext as text; `None` when it is not UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        self.value.as_text()
    }

    /// Returns the text as a secret that is wiped when dropped.
    ///
    /// Fails with [`Unopenable`](RecordError::Unopenable) for a value that is no UTF-8.
    pub fn to_secret(&self) -> Result<SecretString, RecordError> {
        self.text().map(SecretString::from)
    }

    /// Returns a copy of the text, which the caller keeps from logs.
    ///
    /// Fails with [`Unopenable`](RecordError::Unopenable) for a value that is no UTF-8.
    pub fn to_text(&self) -> Result<String, RecordError> {
        self.text().map(ToOwned::to_owned)
    }

    /// Reads the value from JSON, as [`Plaintext::json`](super::Plaintext::json) wrote it.
    ///
    /// Fails with [`Json`](RecordError::Json). The error says where, and nothing of the value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, RecordError> {
        serde_json::from_slice(self.as_bytes()).map_err(|error| RecordError::json(&error))
    }

    pub(super) fn into_parts(self) -> (crypto::Opened, Box<Binding>) {
        (self.value, self.from)
    }

    fn text(&self) -> Result<&str, RecordError> {
        let reason = OpenFailure::NotText;
        self.as_text().ok_or_else(|| RecordError::Unopenable {
            label: self.label,
            id: self.from.id.clone(),
            reason,
        })
    }
}

impl AsRef<[u8]> for Opened {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}
