//! SQLite: who can read what lies in the database's folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::check::Check;
use super::keys;
use crate::session::Session;
use strongroom::db::{self, Address};

/// Nothing for a server, and for a database in memory.
pub(super) fn all(session: &Session, address: &Address) -> Vec<Check> {
    let Some(file) = db::sqlite_file(address) else { return Vec::new() };
    if !file.exists() {
        let message = format!("{} does not exist yet", file.display());
        return vec![Check::left("database file", message, "make it with `strongroom init`")];
    }
    vec![database(&file), keys_beside(session, &file)]
}

fn database(file: &Path) -> Check {
    let open: Vec<_> = ["", "-wal", "-shm"]
        .iter()
        .map(|end| with_end(file, end))
        .filter(|path| is_open(path))
        .collect();
    if open.is_empty() {
        if fs::metadata(file).is_ok_and(|about| about.permissions().readonly()) {
            let message = format!("{} cannot be written", file.display());
            return Check::advice(
                "database file",
                message,
                format!("`chmod 600 {}`, unless it is a copy to look at", file.display()),
            );
        }
        return Check::ok("database file", format!("{} is closed to others", file.display()));
    }
    let names = names(&open);
    Check::advice(
        "database file",
        format!("open to others: {names}"),
        format!("close it with `chmod 600 {names}`"),
    )
}

/// Whoever copies the folder has both halves; whoever can read a key needs the other half only. The key in
/// use was looked at by its source.
fn keys_beside(session: &Session, file: &Path) -> Check {
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let in_use = keys::file(session);
    let keys: Vec<_> = entries
        .filter(|path| {
            looks_like_a_key(path) && !in_use.as_ref().is_some_and(|key| is_same(path, key))
        })
        .collect();
    let open: Vec<_> = keys.into_iter().filter(|path| is_open(path)).collect();
    if open.is_empty() {
        return Check::ok("other keys", "none that is open to others lies beside the database");
    }
    let names = names(&open);
    Check::advice(
        "other keys",
        format!("key files beside the database are open to others: {names}"),
        format!("move them away, or close them with `chmod 600 {names}`"),
    )
}

/// By its name: the file is not opened.
fn looks_like_a_key(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.contains(".key") || name.ends_with(".root") || name.ends_with(".passphrase")
}

fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o077 != 0)
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
}
