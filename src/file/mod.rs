//! Opening files: regular ones only, and those with secrets under one rule.
//!
//! Promises: opening never waits for a pipe or a device; a file with a secret is read only where nobody but its owner
//! could have read or replaced it.
//!
//! Does not promise: anything against root, or about folders above the one that holds the file.

mod error;
mod open;
mod private;
mod rule;
mod text;

pub use error::FileError;
pub(crate) use open::read_regular;
pub(crate) use private::{read_private, write_new_private};
pub(crate) use text::text_of;

/// For the packages of this repository: see [`crate::internal`].
pub mod internal {
    pub use super::open::read_regular;
    pub use super::private::{open_private, read_private, replace_private, write_new_private};
    pub use super::rule::is_ours;
    pub use super::text::text_of;
    pub use super::{FileError, LONGEST};
}

/// A key, a passphrase, a password or an address: a longer file is none of these.
pub const LONGEST: u64 = 64 << 10;
