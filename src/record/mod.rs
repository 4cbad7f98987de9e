//! Entities with sealed columns, used like any other.
//!
//! A [`Strongroom`] is a database connection with its key ring, and goes wherever sea-orm takes a connection. Rows are written
//! as [`Draft`]s: an active model, and plaintext on its way into sealed columns. Reading hands out cells, which are
//! [opened](Keyed::open) one by one, on purpose.
//!
//! Promises: plaintext reaches no statement; a cell that was altered, or moved to another row, column, owner or table, is an
//! error where it is opened, and never a row that is not there; a value is sealed under keys that the database has.
//!
//! Does not promise: that a cell is the newest one of its row, or that whoever writes to the database has not emptied it.
//!
//! The bytes of a cell, and the formulas, are [`crypto`](crate::crypto)'s. The [front page](crate) has all of this in one
//! program.

mod connection;
mod draft;
mod error;
mod keyed;
mod keys;
mod opened;
mod plaintext;
mod same_row;
mod search;
mod strongroom;
mod transaction;

pub use draft::{Draft, Drafting};
pub use error::RecordError;
pub use keyed::Keyed;
pub use opened::Opened;
pub use plaintext::Plaintext;
pub use strongroom::Strongroom;
pub use transaction::Transaction;
