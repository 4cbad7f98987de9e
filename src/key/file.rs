//! A root key in a file: 32 random bytes in base64, mode 0600 or 0400.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::source::parse;
use super::{KeySource, SourceError};
use crate::crypto::{RootKey, make_bytes};

/// No key file is longer; anything longer is not read to its end.
const LONGEST: u64 = 256;

/// The key source `file`.
pub struct FileSource(PathBuf);

impl FileSource {
    /// The file need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes a new key file, whole or not at all, and never over an existing one.
    pub fn make(&self) -> Result<RootKey, SourceError> {
        let root = RootKey::make()?;
        let text = Zeroizing::new(STANDARD.encode(root.dangerous_expose()) + "\n");
        self.write_new(text.as_bytes()).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => SourceError::Exists(self.0.clone()),
            _ => self.io(error),
        })?;
        Ok(root)
    }

    fn read(&self) -> Result<RootKey, SourceError> {
        let file = File::open(&self.0).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SourceError::Missing { what: self.what() },
            _ => self.io(error),
        })?;
        self.refuse_if_open_to_others(&file)?;
        let mut text = Zeroizing::new(String::new());
        file.take(LONGEST).read_to_string(&mut text).map_err(|_| SourceError::Malformed { what: self.what() })?;
        parse(&text, &self.what())
    }

    /// Asks the open file, not the path, so that it cannot be exchanged in between.
    fn refuse_if_open_to_others(&self, file: &File) -> Result<(), SourceError> {
        let mode = file.metadata().map_err(|error| self.io(error))?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SourceError::Readable { path: self.0.clone(), mode });
        }
        Ok(())
    }

    fn what(&self) -> String {
        format!("the key file {}", self.0.display())
    }

    /// Writes beside the target and links it into place: a crash leaves no half key behind.
    fn write_new(&self, text: &[u8]) -> io::Result<()> {
        let suffix = hex::encode(make_bytes::<8>().map_err(io::Error::other)?);
        let beside = self.0.with_extension(format!("{suffix}.tmp"));
        let written = write_synced(&beside, text).and_then(|()| fs::hard_link(&beside, &self.0));
        fs::remove_file(&beside)?;
        written?;
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }

    fn io(&self, error: io::Error) -> SourceError {
        SourceError::Io { path: self.0.clone(), error }
    }
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[async_trait]
impl KeySource for FileSource {
    async fn root(&self) -> Result<RootKey, SourceError> {
        self.read()
    }
}
