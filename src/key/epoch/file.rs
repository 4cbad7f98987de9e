//! The epoch file: read whole, and replaced whole under a lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::line::Line;
use crate::crypto::make_bytes;

/// A line takes some 300 bytes; a longer file is none of ours.
const LONGEST: u64 = 1 << 20;

/// The file, which need not exist yet.
pub(super) struct EpochFile(PathBuf);

/// What the file holds.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    /// Whether something in it is no line.
    pub(super) is_damaged: bool,
}

impl EpochFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Reads every line; a missing file has none.
    pub(super) fn read(&self) -> io::Result<Lines> {
        let text = match read_regular(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lines::default()),
            read => read?,
        };
        let text = String::from_utf8_lossy(&text);
        let mut found = Lines::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(line) => found.lines.push(line),
                Err(_) => found.is_damaged = true,
            }
        }
        Ok(found)
    }

    /// Changes the lines while no other process does. `change` says whether there is anything to write.
    pub(super) fn change(&self, change: impl FnOnce(&mut Lines) -> bool) -> io::Result<()> {
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.beside("lock"))?;
        lock.lock()?;
        let mut lines = self.read()?;
        if change(&mut lines) { self.replace(&lines.lines) } else { Ok(()) }
    }

    /// Whole or not at all: a crash leaves the file as it was.
    fn replace(&self, lines: &[Line]) -> io::Result<()> {
        let beside = self
            .beside(&format!("{}.tmp", hex::encode(make_bytes::<8>().map_err(io::Error::other)?)));
        let written = write_synced(&beside, lines).and_then(|()| fs::rename(&beside, &self.0));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written?;
        let folder = self
            .0
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.0.clone().into_os_string();
        path.push(format!(".{suffix}"));
        path.into()
    }
}

/// Refuses FIFOs and devices, which would keep a program waiting.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}

fn write_synced(path: &Path, lines: &[Line]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    for line in lines {
        let text = serde_json::to_string(line).map_err(io::Error::other)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
    }
    file.sync_all()
}
