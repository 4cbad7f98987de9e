//! What was handed out and what was refused: rows in one chain, written before the answer goes out.
//!
//! Each row carries a code over itself and the code of the row before, under a key that only holders of the root have.
//! So whoever can write to the database and does not hold the root cannot alter, insert, reorder or remove a row
//! without [`verify`] naming the place.
//!
//! Does not promise: that rows cut off at the end are noticed by the database alone. [`Report::last`] is what to keep
//! elsewhere, and to compare with. Nor anything against who holds the root.

mod append;
mod entry;
mod error;
mod verify;
mod word;
mod writer;

pub(crate) use append::append;
pub use entry::Entry;
pub use error::AuditError;
pub use verify::{Flaw, Problem, Report, verify};
pub use word::{Action, Barrier};
pub use writer::Writer;
