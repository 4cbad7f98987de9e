//! A database password that the operator's own tools made.

use std::path::Path;

use super::SourceError;
use super::private_file::PrivateFile;
use crate::crypto::DatabasePassword;

/// Reads one from a file that only its owner may read.
pub(crate) fn database_password(path: &Path) -> Result<DatabasePassword, SourceError> {
    let text = PrivateFile::new(path).read("password file")?;
    DatabasePassword::from_text(text.trim()).ok_or_else(|| SourceError::Malformed {
        what: format!("password file {}", path.display()),
        wanted: "it must hold 64 hexadecimal digits, as `openssl rand -hex 32` makes them, or 24 to 128 characters with upper \
                 and lower case, digits and others (but no quote, backslash or space), as `openssl rand -base64 32` makes them",
    })
}
