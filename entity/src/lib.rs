//! The rows of Strongroom's tables, and the column type that carries a sealed value.
//!
//! A [`Sealed`] column holds an envelope and cannot open it; opening takes a key ring, which lives
//! elsewhere. A row says what its cells are bound to through [`Bound`] and [`Sealable`].

pub mod audit;
pub mod audit_head;
mod bound;
pub mod credential;
pub mod database_login;
pub mod history;
pub mod key;
pub mod manifest;
pub mod plain_credential;
pub mod policy;
pub mod quarantine;
mod sealed;
pub mod signature;
mod table;

pub use bound::{Binding, Bound, Owner, OwnerValue, RowId, Sealable, Searchable, Unset};
pub use sealed::{BlindIndex, Cell, Label, Sealed};
pub use table::{IdColumn, IdKind, OwnerColumn, OwnerKind, SealedColumn, SealedEntity, SealedTable};
