//! Secret bytes as text.

use std::path::Path;

use zeroize::Zeroizing;

use super::FileError;

/// Returns the bytes as text, without leaving a copy.
pub fn text_of(mut bytes: Zeroizing<Vec<u8>>, path: &Path) -> Result<Zeroizing<String>, FileError> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(FileError::NotText(path.to_owned()))
        }
    }
}
