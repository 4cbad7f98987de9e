//! The folder of `serve --dev`: appears whole, belongs to one user alone, is used by one program at a time.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed::quoted;
use strongroom::crypto::make_bytes;

/// Says that `serve --dev` made the folder, and carries its lock.
const MARK: &str = "serve-dev.lock";
const SAYS: &[u8] =
    b"`strongroom serve --dev` made this folder, and locks this file while it runs.\n";

/// A folder that passed every check, locked until the value is dropped.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens the folder, or makes it where nothing has its name.
    pub(super) fn open_or_make(wanted: &Path) -> Result<Self, Failure> {
        // A trailing slash would lead through a symbolic link.
        let wanted: PathBuf = wanted.components().collect();
        if !is_there(&wanted)? {
            make(&wanted)?;
        }
        let facts = wanted.symlink_metadata().map_err(unusable(&wanted))?;
        require_own(&wanted, &facts, "folder")?;
        let path = wanted.canonicalize().map_err(unusable(&wanted))?;
        if !is_there(&path.join(MARK))? {
            let failure =
                refused(format!("`strongroom serve --dev` did not make {}", wanted.display()));
            return Err(failure.help(
                "name a folder that does not exist yet: `strongroom serve --dev --dir DIR`",
            ));
        }
        let lock = lock(&path)?;
        remove_leftovers(&path)?;
        require_own_contents(&path)?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Makes the folder beside its place and renames it, so that it is never there without its mark.
fn make(path: &Path) -> Result<(), Failure> {
    let name =
        path.file_name().ok_or_else(|| refused(format!("{} names no folder", path.display())))?;
    let suffix = hex::encode(
        make_bytes::<8>().map_err(|error| Failure::new(Exit::Failed, "dev_folder", error))?,
    );
    let beside = path.with_file_name(format!(".{}.{suffix}.tmp", name.to_string_lossy()));
    let made = DirBuilder::new().mode(0o700).create(&beside).and_then(|()| {
        let mut mark =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside.join(MARK))?;
        mark.write_all(SAYS)?;
        fs::rename(&beside, path)
    });
    made.or_else(|error| {
        drop(fs::remove_dir_all(&beside));
        // Another program made it meanwhile: the checks decide.
        if is_there(path)? { Ok(()) } else { Err(unusable(path)(error)) }
    })
}

fn lock(folder: &Path) -> Result<File, Failure> {
    let file = File::open(folder.join(MARK)).map_err(unusable(folder))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another `strongroom serve --dev` uses {}", folder.display());
            Err(Failure::new(Exit::Locked, "dev_folder_locked", message)
                .help("stop it, or start this one in another folder: `strongroom serve --dev --dir DIR --listen 127.0.0.1:0`"))
        }
        Err(TryLockError::Error(error)) => Err(unusable(folder)(error)),
    }
}

/// Removes what a killed start left half-written; each may hold a key.
fn remove_leftovers(folder: &Path) -> Result<(), Failure> {
    for path in entries(folder)? {
        let is_leftover = path.extension().is_some_and(|end| end == "tmp");
        if is_leftover && path.symlink_metadata().is_ok_and(|facts| facts.is_file()) {
            fs::remove_file(&path).map_err(unusable(&path))?;
        }
    }
    Ok(())
}

/// Every file and folder below must be the caller's alone.
fn require_own_contents(folder: &Path) -> Result<(), Failure> {
    for path in entries(folder)? {
        let facts = path.symlink_metadata().map_err(unusable(&path))?;
        require_own(&path, &facts, if facts.is_dir() { "folder" } else { "file" })?;
    }
    Ok(())
}

/// Everything in the folder and in its folders.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(unusable(&folder))? {
            let path = entry.map_err(unusable(&folder))?.path();
            if path.symlink_metadata().is_ok_and(|facts| facts.is_dir()) {
                open.push(path.clone());
            }
            found.push(path);
        }
    }
    Ok(found)
}

fn require_own(path: &Path, facts: &Metadata, wanted: &str) -> Result<(), Failure> {
    let shown = path.display();
    let another = "name another folder: `strongroom serve --dev --dir DIR`";
    if facts.is_symlink() {
        return Err(refused(format!("{shown} is a symbolic link")).help(another));
    }
    if !(facts.is_dir() || wanted == "file" && facts.is_file()) {
        return Err(refused(format!("{shown} is not a {wanted}")).help(another));
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(format!("{shown} belongs to user {}", facts.uid())).help(another));
    }
    let mode = facts.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let failure =
            refused(format!("{shown} has mode {mode:04o}, which gives its group or others rights"));
        return Err(failure.help(format!(
            "if nobody used them, take them away: `chmod go-rwx {}`",
            quoted(&shown.to_string())
        )));
    }
    Ok(())
}

/// A link that leads nowhere is there, too.
fn is_there(path: &Path) -> Result<bool, Failure> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unusable(path)(error)),
    }
}

fn refused(message: String) -> Failure {
    Failure::refused("dev_folder", message)
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::new(Exit::Failed, "dev_folder", format!("{path} cannot be used: {error}"))
}
