//! Import from a Keystone database and its Fernet key repository.
//!
//! Promises: what was imported is not touched again; a row that cannot be read is named and passed
//! over; nothing is written to Keystone.

mod blob;
mod import;
mod repository;
mod source;

pub use import::{ImportError, ImportOptions, Quarantined, Report, import};
pub use repository::{KeyRepository, RepositoryError};
