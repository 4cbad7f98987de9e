//! What a row's cells are bound to.

use sea_orm::prelude::Uuid;

use crate::{BlindIndex, Cell, IdKind, Label, OwnerKind, Sealed};

/// The value of an owner column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// NULL; differs from the empty text.
    Null,
    /// Text, or a UUID in its hyphenated form.
    Text(String),
    /// An integer.
    Integer(i64),
}

/// A row's id, its owner columns under stable labels, and the scope whose data key seals it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The row's primary key, made by the program, so that it is known before the insert.
    pub id: String,
    /// Owner columns under their labels; the order does not matter.
    pub owners: Vec<(&'static str, Owner)>,
    /// The project, or `None` for a row without one.
    pub scope: Option<String>,
}

/// A row that was read and carries a cell of column `L`. Derived with `SealedModel`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no sealed column `{L}`, or does not carry what its cells are bound to",
    note = "a model or partial model derives `SealedModel`, and has the id and every owner column beside the cell"
)]
pub trait Bound<L: Label> {
    /// [`Sealed`], or an `Option` of it where the value may be NULL.
    type Cell: Cell;
    /// What the cell is bound to.
    fn binding(&self) -> Binding;
    /// The cell.
    fn cell(&self) -> &Self::Cell;
}

/// A row to be written that takes a cell of column `L`. Derived with `SealedModel`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no sealed column `{L}`",
    note = "the active model of an entity that derives `SealedModel` takes the columns of that entity"
)]
pub trait Sealable<L: Label> {
    /// The table that the row goes to.
    const TABLE: &'static crate::SealedTable;
    /// Whether the column has a blind index.
    const IS_INDEXED: bool;
    /// What the cell will be bound to.
    fn binding(&self) -> Result<Binding, Unset>;
    /// Takes the cell, and its blind index where the column has one.
    fn put(&mut self, cell: Sealed<L>, index: Option<BlindIndex<L>>);
}

/// A sealed column that is found by its blind index. Derived with `SealedModel`.
#[diagnostic::on_unimplemented(
    message = "sealed column `{Self}` cannot be searched for",
    note = "give the entity a column of type `BlindIndex<{Self}>`, with a unique key in the database"
)]
pub trait Searchable: Label {
    /// Whose column it is.
    type Entity: crate::SealedEntity;
    /// The column with the blind index.
    fn index() -> <Self::Entity as sea_orm::EntityTrait>::Column;
}

/// A bound column that the row does not set: its cell would be bound to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unset(pub &'static str);

impl std::fmt::Display for Unset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the row does not set `{}`, which its sealed columns are bound to", self.0)
    }
}

impl std::error::Error for Unset {}

/// What can be the id of a row with sealed columns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of a row with sealed columns",
    note = "the id is bound into the cells before the insert: make it in the program, as `String` or `Uuid`"
)]
pub trait RowId: private::Sealed {
    /// How it is stored.
    const KIND: IdKind;
    /// The text that cells are bound to.
    fn text(&self) -> String;
}

/// What can own a row: the types that cells can be bound to.
#[diagnostic::on_unimplemented(
    message = "cells cannot be bound to a column of type `{Self}`",
    note = "an owner column is `String`, `Uuid`, `i64`, `i32`, or an `Option` of one of them"
)]
pub trait OwnerValue: private::Sealed {
    /// How it is stored.
    const KIND: OwnerKind;
    /// The value that cells are bound to.
    fn owner(&self) -> Owner;
}

impl Owner {
    /// The value as the name of a scope; `None` for NULL.
    pub fn scope(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string()),
        }
    }
}

mod private {
    /// Code that moves rows knows how each type is stored, so no others can be added.
    pub trait Sealed {}
    impl Sealed for String {}
    impl Sealed for i32 {}
    impl Sealed for i64 {}
    impl Sealed for super::Uuid {}
    impl<T: Sealed> Sealed for Option<T> {}
}

impl RowId for String {
    const KIND: IdKind = IdKind::Text;

    fn text(&self) -> String {
        self.clone()
    }
}

impl RowId for Uuid {
    const KIND: IdKind = IdKind::Uuid;

    fn text(&self) -> String {
        self.hyphenated().to_string()
    }
}

impl OwnerValue for String {
    const KIND: OwnerKind = OwnerKind::Text;

    fn owner(&self) -> Owner {
        Owner::Text(self.clone())
    }
}

impl OwnerValue for Uuid {
    const KIND: OwnerKind = OwnerKind::Uuid;

    fn owner(&self) -> Owner {
        Owner::Text(self.text())
    }
}

impl OwnerValue for i64 {
    const KIND: OwnerKind = OwnerKind::Integer;

    fn owner(&self) -> Owner {
        Owner::Integer(*self)
    }
}

impl OwnerValue for i32 {
    const KIND: OwnerKind = OwnerKind::Integer;

    fn owner(&self) -> Owner {
        Owner::Integer((*self).into())
    }
}

impl<T: OwnerValue> OwnerValue for Option<T> {
    const KIND: OwnerKind = T::KIND;

    fn owner(&self) -> Owner {
        self.as_ref().map_or(Owner::Null, T::owner)
    }
}
