//! The rule for files with secrets.
//!
//! - Mode 0600 or 0400: no right for group or others.
//! - The caller or root owns the file, and every symbolic link on the way to it. Links are followed, because secret
//!   managers exchange them.
//! - Others cannot replace it: the folders of the file and of those links belong to the caller or root, and neither group
//!   nor others may write to them. A folder with the sticky bit is fine, as /tmp, because there only owners replace files.
//!   So is write access for the caller's private group, whose number is the user's own.
//! - One exception: a credential of the service manager, see [`is_credential`].

use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::FileError;
use super::open::failed;

const ANY_RIGHT_OF_OTHERS: u32 = 0o077;
const STICKY: u32 = 0o1000;
/// As many as the system follows.
const MOST_LINKS: usize = 40;

/// Refuses an open file that others could have read or replaced. Asks the open file, so that it cannot be exchanged.
pub(super) fn refuse_unless_private(path: &Path, file: &File) -> Result<(), FileError> {
    let facts = file.metadata().map_err(|error| failed(path, error))?;
    let mode = bits(&facts);
    if is_open_to_others(&facts) && !is_credential(path, &facts) {
        return Err(FileError::OpenToOthers { path: path.to_owned(), mode });
    }
    refuse_other_owner(path, &facts)?;
    refuse_replaceable(path)
}

/// Whether group or others have any right on a file.
fn is_open_to_others(facts: &Metadata) -> bool {
    bits(facts) & ANY_RIGHT_OF_OTHERS != 0
}

/// Whether the caller or root owns a file.
pub fn is_ours(facts: &Metadata) -> bool {
    facts.uid() == 0 || facts.uid() == caller()
}

/// Refuses a file that others could replace, whether it is there yet or not.
pub(super) fn refuse_replaceable(path: &Path) -> Result<(), FileError> {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = folder_of(&at);
        refuse_open_folder(path, &folder)?;
        let Ok(target) = fs::read_link(&at) else { return Ok(()) };
        refuse_other_owner(&at, &fs::symlink_metadata(&at).map_err(|error| failed(&at, error))?)?;
        at = folder.join(target);
    }
    Ok(())
}

pub(super) fn folder_of(path: &Path) -> PathBuf {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
        .to_owned()
}

fn refuse_open_folder(path: &Path, folder: &Path) -> Result<(), FileError> {
    let facts = fs::metadata(folder).map_err(|error| failed(folder, error))?;
    let mode = bits(&facts);
    let of_group = if is_private_group(&facts) { 0 } else { 0o020 };
    let is_closed = mode & (0o002 | of_group) == 0 || mode & STICKY != 0;
    if is_ours(&facts) && is_closed {
        return Ok(());
    }
    Err(FileError::OpenFolder {
        path: path.to_owned(),
        folder: folder.to_owned(),
        mode,
        owner: facts.uid(),
    })
}

fn refuse_other_owner(path: &Path, facts: &Metadata) -> Result<(), FileError> {
    if is_ours(facts) {
        Ok(())
    } else {
        Err(FileError::OtherOwner { path: path.to_owned(), owner: facts.uid() })
    }
}

/// Where users have groups of their own, folders are made writable to these. Root's group is not such a one.
fn is_private_group(facts: &Metadata) -> bool {
    facts.gid() != 0
        && facts.gid() == caller()
        && rustix::process::getegid().as_raw() == facts.gid()
}

/// Whether it is a credential of a service manager: in the folder that `CREDENTIALS_DIRECTORY` names, root's, and nobody
/// may write to it. systemd shows 0440 there, because the group's bits are the mask of an access list.
#[expect(
    clippy::disallowed_methods,
    reason = "a variable of the service manager, and no setting of ours"
)]
fn is_credential(path: &Path, facts: &Metadata) -> bool {
    let Some(folder) =
        std::env::var_os("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty())
    else {
        return false;
    };
    let (Ok(folder), Ok(path)) = (fs::canonicalize(folder), fs::canonicalize(path)) else {
        return false;
    };
    facts.uid() == 0 && bits(facts) & !0o440 == 0 && path.starts_with(folder)
}

fn bits(facts: &Metadata) -> u32 {
    facts.mode() & 0o7777
}

fn caller() -> u32 {
    rustix::process::geteuid().as_raw()
}
