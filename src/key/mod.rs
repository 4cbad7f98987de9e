//! The key ring of a database, and where its root key comes from.
//!
//! Promises: a ring is used only under the root that it names and with a manifest that verifies; a
//! cell is opened with the one key that its header names, and only if that key belongs to the
//! row's own scope; a key is used only after the database has it.
//!
//! Does not promise: anything against whoever holds the root.

mod audit_key;
mod beside;
mod cell_address;
mod described;
mod environment;
mod epoch;
mod error;
mod file;
mod free;
mod key_rows;
mod lineage;
mod manifest;
mod manifest_row;
mod number;
mod open_failure;
mod passphrase;
mod password_file;
mod policy_keys;
mod private_file;
mod rewrap;
mod ring;
mod ring_access;
mod roots;
mod scoped_keys;
mod source;

pub use crate::file::FileError;
pub use audit_key::AuditKey;
pub use cell_address::CellAddress;
pub(crate) use cell_address::scope_of;
pub use environment::EnvironmentSource;
pub use epoch::{EpochFloor, EpochMemory, EpochNotice};
pub use error::RingError;
pub use file::FileSource;
pub use manifest::{GenerationRecord, KeyState, Manifest, ManifestError, Rolling};
pub use number::{Epoch, Generation};
pub use open_failure::OpenFailure;
pub use passphrase::{Passphrase, PassphraseSource};
pub(crate) use password_file::database_password;
pub use policy_keys::PolicyKeys;
pub use rewrap::Rewrapped;
pub(crate) use rewrap::{rewrap, rewrap_stragglers};
pub use ring::{LIFETIME, Ring};
pub use ring_access::RingAccess;
pub use roots::Roots;
pub use scoped_keys::{ScopedColumns, ScopedKeys};
pub use source::{KeySource, SourceError};

/// For the packages of this repository: see [`crate::internal`].
#[doc(hidden)]
pub mod internal {
    pub use super::epoch::Acceptance;
    pub use super::manifest_row::ring_root;
    pub use super::ring::BadKey;
    pub use super::source::text_of;
}
