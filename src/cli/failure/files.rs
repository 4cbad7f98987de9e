//! What to type when a file with a secret is refused.

use std::path::Path;

use super::Failure;
use crate::exit::Exit;
use crate::typed;
use strongroom::internal::file::FileError;

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let exit = match &error {
            FileError::Missing(_)
            | FileError::Exists(_)
            | FileError::NotText(_)
            | FileError::Io { .. } => Exit::Failed,
            _ => Exit::Refused,
        };
        Self::new(exit, code_of(&error), &error).help(help_of(&error))
    }
}

pub(super) fn code_of(error: &FileError) -> &'static str {
    match error {
        FileError::OpenToOthers { .. } => "file_open",
        FileError::OtherOwner { .. } => "file_owner",
        FileError::OpenFolder { .. } => "folder_open",
        FileError::NotRegular(_) => "not_a_file",
        FileError::TooLong { .. } => "file_too_long",
        FileError::Exists(_) => "file_exists",
        _ => "unreadable",
    }
}

pub(super) fn help_of(error: &FileError) -> String {
    let word = |path: &Path| typed::quoted(&path.display().to_string());
    match error {
        FileError::OpenToOthers { path, .. } => {
            format!(
                "close it with `chmod 600 {}`, and consider its secrets known to others",
                word(path)
            )
        }
        FileError::OtherOwner { path, .. } => {
            format!("see who put it there; if you trust it, `chown -h \"$(id -u)\" {}`", word(path))
        }
        FileError::OpenFolder { folder, mode, .. } if mode & 0o022 != 0 => {
            format!("close the folder with `chmod go-w {}`, or move the file", word(folder))
        }
        FileError::OpenFolder { folder, .. } => {
            format!(
                "move the file to a folder of your own, or `chown \"$(id -u)\" {}`",
                word(folder)
            )
        }
        FileError::NotRegular(_) => "write it into a regular file of mode 0600".to_owned(),
        FileError::TooLong { .. } => "check that this is the right file".to_owned(),
        FileError::Exists(_) => "an existing file is never overwritten: name another".to_owned(),
        _ => "check the file's name and owner, and its folder's rights".to_owned(),
    }
}
