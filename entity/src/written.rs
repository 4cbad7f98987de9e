//! A row with sealed columns on its way to the database.

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, TransactionTrait};

use crate::{Binding, SealedTable, Unset};

/// The active model of an entity with sealed columns. Derived with `SealedModel`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the active model of an entity with sealed columns",
    note = "derive `SealedModel` next to `DeriveEntityModel`"
)]
pub trait WrittenRow: ActiveModelTrait + Send + Sync {
    /// The row as it is read back.
    type Stored: Send;
    /// The table that the row goes to.
    const TABLE: &'static SealedTable;
    /// Returns the binding of the row's cells, from the columns that the row sets.
    fn bound_to(&self) -> Result<Binding, Unset>;
    /// Whether the row writes one of the columns that its cells are bound to.
    fn sets_owner(&self) -> bool;
    /// Returns the binding of a stored row.
    fn binding_of(stored: &Self::Stored) -> Binding;
    /// Inserts the row as sea-orm does, with its hooks, and reads it back.
    fn insert_into<C>(self, db: &C) -> impl Future<Output = Result<Self::Stored, DbErr>> + Send
    where
        C: ConnectionTrait + TransactionTrait;
}

/// An optional sealed column of a row to be written. Derived with `SealedModel`.
#[diagnostic::on_unimplemented(
    message = "sealed column `{L}` of `{Self}` is never NULL",
    note = "an optional sealed column has the type `Option<Sealed<{L}>>`"
)]
pub trait Emptied<L: crate::Label>: crate::Sealable<L> {
    /// Sets the cell to NULL, and its blind index with it.
    fn empty(&mut self);
}
