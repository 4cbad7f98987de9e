//! Files in the folder: keys for their owner only, and each file whole or not at all.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::DevCertsError;
use strongroom::crypto::make_bytes;
use strongroom::internal::file::{FileError, read_private, text_of};

/// `NAME.pem` and `NAME.key`.
pub(super) struct Pair {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Pair {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        }
    }

    /// Whether both are there; an error where only one is.
    pub(super) fn is_there(&self) -> Result<bool, DevCertsError> {
        let half = |there: &Path, missing: &Path| {
            Err(DevCertsError::HalfPair { there: there.to_owned(), missing: missing.to_owned() })
        };
        match (is_there(&self.certificate)?, is_there(&self.key)?) {
            (true, false) => half(&self.certificate, &self.key),
            (false, true) => half(&self.key, &self.certificate),
            (both, _) => Ok(both),
        }
    }

    /// Writes both, and never over what is there.
    pub(super) fn write_new(
        &self,
        certificate: &str,
        key: &str,
        written: &mut Vec<PathBuf>,
    ) -> Result<(), DevCertsError> {
        put(&self.key, key, 0o600, link, written)?;
        put(&self.certificate, certificate, 0o644, link, written)
    }

    /// Writes both, over what is there.
    pub(super) fn replace(
        &self,
        certificate: &str,
        key: &str,
        written: &mut Vec<PathBuf>,
    ) -> Result<(), DevCertsError> {
        put(&self.key, key, 0o600, |from, to| fs::rename(from, to), written)?;
        replace(&self.certificate, certificate, written)
    }
}

/// Makes the folder for its owner only; one that is there stays as it is.
pub(super) fn make_folder(path: &Path) -> Result<(), DevCertsError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_error(path))
}

/// Writes a file that everybody may read, over what is there.
pub(super) fn replace(
    path: &Path,
    text: &str,
    written: &mut Vec<PathBuf>,
) -> Result<(), DevCertsError> {
    put(path, text, 0o644, |from, to| fs::rename(from, to), written)
}

/// Reads a key, which must be its owner's only.
pub(super) fn read_key(path: &Path) -> Result<Zeroizing<String>, DevCertsError> {
    let text = read_private(path, None).and_then(|bytes| text_of(bytes, path));
    text.map_err(|error| match error {
        FileError::OpenToOthers { path, mode } => DevCertsError::OpenToOthers { path, mode },
        FileError::Io { path, error } => DevCertsError::Io { path, error },
        FileError::Missing(path) => {
            DevCertsError::Io { path, error: io::ErrorKind::NotFound.into() }
        }
        error => DevCertsError::File(error),
    })
}

pub(super) fn read(path: &Path) -> Result<String, DevCertsError> {
    fs::read_to_string(path).map_err(io_error(path))
}

/// A link that leads nowhere is there, too: nothing is written through it.
pub(super) fn is_there(path: &Path) -> Result<bool, DevCertsError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io_error(path)(error)),
    }
}

type Place = fn(&Path, &Path) -> io::Result<()>;

/// Writes beside the target, then puts it into its place.
fn put(
    path: &Path,
    text: &str,
    mode: u32,
    place: Place,
    written: &mut Vec<PathBuf>,
) -> Result<(), DevCertsError> {
    let mut name = path.as_os_str().to_owned();
    // Not the process id: in a container a killed run and the next one have the same.
    name.push(format!(
        ".{}.tmp",
        hex::encode(make_bytes::<8>().map_err(|error| io_error(path)(io::Error::other(error)))?)
    ));
    let beside = PathBuf::from(name);
    write_synced(&beside, text, mode).map_err(io_error(&beside))?;
    if let Err(error) = place(&beside, path) {
        // Not left behind; what went wrong before is what counts.
        drop(fs::remove_file(&beside));
        return Err(io_error(path)(error));
    }
    written.push(path.to_owned());
    Ok(())
}

/// Unlike a rename, a link refuses what is there already.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

fn write_synced(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> DevCertsError {
    let path = path.to_owned();
    move |error| DevCertsError::Io { path: path.clone(), error }
}
