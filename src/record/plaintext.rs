//! A value on its way into a cell.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::crypto::Opened;

/// A value that is to be sealed: its exact bytes, at most 1 MiB. Wiped when dropped, and cannot be printed. Made `From` text,
/// bytes, a `SecretString`, or a value that was opened.
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext")
    }
}

impl From<&[u8]> for Plaintext {
    fn from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }
}

impl From<Vec<u8>> for Plaintext {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
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

impl From<&SecretString> for Plaintext {
    fn from(text: &SecretString) -> Self {
        text.expose_secret().into()
    }
}

/// For a row that moves to another owner: its cells are opened, and sealed again for where it goes.
impl From<Opened> for Plaintext {
    fn from(opened: Opened) -> Self {
        opened.as_bytes().into()
    }
}
