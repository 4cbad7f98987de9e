//! The built-in store of credentials.
//!
//! Promises: a secret is opened only when asked for; listing opens nothing; finding goes through the
//! blind index and never scans; one row that does not open is an error for that row alone.

mod error;
mod find;
#[cfg(feature = "keystone")]
pub mod keystone;
mod model;
mod read;
mod row;
mod store;

pub use error::StoreError;
pub use model::{Credential, Listed, NewCredential, Page};
pub use store::{Filter, Store};
