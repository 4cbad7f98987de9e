//! The rows of Strongroom's tables, and the column type that carries a sealed value.
//!
//! A [`Sealed`] column holds an envelope and cannot open it; opening takes a key ring, which lives
//! elsewhere. A row says what its cells are bound to through [`Bound`] and [`Sealable`], which
//! [`SealedModel`] derives.

pub mod audit;
pub mod audit_head;
mod bound;
pub mod credential;
pub mod database_login;
mod distinct;
pub mod history;
pub mod key;
pub mod manifest;
mod part;
pub mod plain_credential;
pub mod policy;
pub mod quarantine;
mod sealed;
pub mod signature;
mod table;
mod text;
mod written;

pub use bound::{Binding, Bound, Owner, OwnerValue, RowId, Sealable, Searchable, Unset};
pub use distinct::require_distinct_labels;
#[doc(hidden)]
pub use part::{Part, require_same_binding};
pub use sealed::{BlindIndex, Cell, Label, Sealed};
pub use strongroom_derive::SealedModel;
pub use table::{
    IdColumn, IdKind, OwnerColumn, OwnerKind, SealedColumn, SealedEntity, SealedTable,
};
pub use written::{Emptied, WrittenRow};

/// Strongroom's sealed tables. Their names and labels are reserved: no program may use them for another table.
pub const OWN_TABLES: &[&SealedTable] = &[credential::TABLE];

/// Returns the sealed table of Strongroom with this name.
pub fn own_table(name: &str) -> Option<&'static SealedTable> {
    OWN_TABLES.iter().copied().find(|table| table.name == name)
}
