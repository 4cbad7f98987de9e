//! Import from a Keystone database and its Fernet key repository, and export to them.
//!
//! Promises: what was imported is not touched again; a row that cannot be read is named and passed
//! over; an import writes nothing to Keystone. An export adds and updates, and deletes nothing; a row of
//! Keystone's that says something else is overwritten only when that is asked for.

mod blob;
mod export;
mod form;
mod import;
mod outcome;
mod packet;
mod python;
mod repository;
mod source;
mod target;

pub use export::{ExportOptions, export};
pub use import::{ImportError, ImportOptions, Quarantined, Report, import};
pub use outcome::{ExportError, ExportReport};
pub use repository::{KeyRepository, RepositoryError};
pub use target::Target;
