//! What a row's cells are bound to.

use crate::{Label, Sealed};

/// The value of an owner column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Text, or NULL.
    Text(Option<String>),
    /// An integer.
    Integer(i64),
}

/// A row's id, its owner columns under stable labels, and the scope whose data key seals it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The row's primary key, made by the program, so that it is known before the insert.
    pub id: String,
    /// Owner columns; the order does not matter.
    pub owners: Vec<(&'static str, Owner)>,
    /// The project, or `None` for a row without one.
    pub scope: Option<String>,
}

/// A row that was read and carries a cell of column `L`.
pub trait Bound<L: Label> {
    /// What the cell is bound to.
    fn binding(&self) -> Binding;
    /// The cell; `None` for NULL.
    fn cell(&self) -> Option<&Sealed<L>>;
}

/// A row to be written that takes a cell of column `L`.
pub trait Sealable<L: Label> {
    /// What the cell will be bound to.
    fn binding(&self) -> Result<Binding, Unset>;
    /// Takes the cell.
    fn put(&mut self, cell: Sealed<L>);
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
