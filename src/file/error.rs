//! Why a file is not read or written.

use std::io;
use std::path::PathBuf;

/// Why a file is not read or written. Names files, and never quotes one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// No such file.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// A pipe, a device, a socket or a folder.
    #[error("{} is not a regular file", .0.display())]
    NotRegular(PathBuf),
    /// Group or others have some right on it.
    #[error("the file {} is open to others (mode {mode:04o}): it must be 0600 or 0400", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Neither the caller nor root owns it.
    #[error("{} belongs to another user (uid {owner})", path.display())]
    OtherOwner {
        /// The file, or a symbolic link on the way to it.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Others can replace the files in it.
    #[error("others may write to the folder {} (mode {mode:04o}, uid {owner}), and so replace {}", folder.display(), path.display())]
    OpenFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
        /// The folder's permission bits.
        mode: u32,
        /// The folder's owner.
        owner: u32,
    },
    /// Longer than any file of its kind.
    #[error("{} is longer than {longest} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        longest: u64,
    },
    /// Not UTF-8.
    #[error("{} is not text in UTF-8", .0.display())]
    NotText(PathBuf),
    /// There already, and never overwritten.
    #[error("the file {} exists already", .0.display())]
    Exists(PathBuf),
    /// The system refuses.
    #[error("the file {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl FileError {
    /// Whether others could have read the file or replaced it, and nothing else is wrong.
    #[doc(hidden)]
    pub fn is_open(&self) -> bool {
        matches!(
            self,
            Self::OpenToOthers { .. } | Self::OtherOwner { .. } | Self::OpenFolder { .. }
        )
    }
}
