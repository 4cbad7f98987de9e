//! A value on its way into a cell.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use strongroom_entity::Binding;
use zeroize::Zeroizing;

use super::{Opened, RecordError};
use crate::crypto;

/// A value that is to be sealed: its exact bytes, at most 1 MiB. Wiped when dropped, and cannot be printed. Made `From` text,
/// bytes, a `SecretString`, or a value that was opened; or from any type with `serde`, by [`Plaintext::json`].
pub struct Plaintext {
    bytes: Zeroizing<Vec<u8>>,
    from: Option<Box<Binding>>,
}

impl Plaintext {
    /// Writes a value as JSON, to be read with [`Opened::json`].
    ///
    /// ```
    /// use strongroom::record::{Plaintext, RecordError};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Account {
    ///     user: String,
    ///     password: String,
    /// }
    ///
    /// fn value(account: &Account) -> Result<Plaintext, RecordError> {
    ///     Plaintext::json(account) // db.open(Login, &row).await?.json::<Account>()? is the way back
    /// }
    /// ```
    ///
    /// Fails with [`Json`](RecordError::Json) for a value that JSON has no form for.
    pub fn json(value: &impl Serialize) -> Result<Self, RecordError> {
        serde_json::to_vec(value).map(Self::from).map_err(|error| RecordError::json(&error))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The binding of the row whose cell the value came from.
    pub(super) fn opened_from(&self) -> Option<&Binding> {
        self.from.as_deref()
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext")
    }
}

impl From<&[u8]> for Plaintext {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<Vec<u8>> for Plaintext {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: Zeroizing::new(bytes), from: None }
    }
}

impl From<&str> for Plaintext {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for Plaintext {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&String> for Plaintext {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Arc<str>> for Plaintext {
    fn from(text: Arc<str>) -> Self {
        text.as_bytes().into()
    }
}

impl From<&SecretString> for Plaintext {
    fn from(text: &SecretString) -> Self {
        text.expose_secret().into()
    }
}

impl From<SecretString> for Plaintext {
    fn from(text: SecretString) -> Self {
        (&text).into()
    }
}

/// For a row that moves to another owner: its cells are opened, and sealed again for where it goes.
impl From<Opened> for Plaintext {
    fn from(opened: Opened) -> Self {
        let (value, from) = opened.into_parts();
        Self { from: Some(from), ..value.into() }
    }
}

impl From<crypto::Opened> for Plaintext {
    fn from(opened: crypto::Opened) -> Self {
        opened.as_bytes().into()
    }
}
