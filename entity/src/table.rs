//! A table with sealed columns, described for code that moves every row of it.

use sea_orm::EntityTrait;

/// An entity with sealed columns. Derived with `SealedModel`, never by hand.
pub trait SealedEntity: EntityTrait {
    /// What the reseal engine and the migration helpers know of it.
    const TABLE: &'static SealedTable;
}

/// Where the reseal engine finds plaintext, cells and what they are bound to. Names are SQL
/// identifiers from source code or from the authenticated manifest, never input.
#[derive(Debug, PartialEq, Eq)]
pub struct SealedTable {
    /// The table.
    pub name: &'static str,
    /// The primary key.
    pub id: IdColumn,
    /// The owner columns that every cell is bound to.
    pub owners: &'static [OwnerColumn],
    /// Which of the owner columns is the scope, whose data key seals the row; by its name.
    pub scope: Option<&'static str>,
    /// The sealed columns. Either all of them say where their plaintext was, or none.
    pub columns: &'static [SealedColumn],
}

/// A primary key that is made by the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdColumn {
    /// The column.
    pub name: &'static str,
    /// How it is stored.
    pub kind: IdKind,
}

/// How an id is stored. A cell is bound to its text in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// Text of at most 64 characters.
    Text,
    /// A UUID: `uuid` on PostgreSQL, 16 bytes elsewhere, as sea-orm stores it.
    Uuid,
}

/// A column whose value every cell of the row is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerColumn {
    /// The column.
    pub name: &'static str,
    /// What its value is called in the context of a cell. Stays when the column is renamed.
    pub label: &'static str,
    /// How it is stored.
    pub kind: OwnerKind,
}

/// How the value of an owner column is stored. NULL is a value of every kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// Text.
    Text,
    /// An integer of at most 64 bits.
    Integer,
    /// A UUID, bound as its text.
    Uuid,
}

/// One sealed column.
#[derive(Debug, PartialEq, Eq)]
pub struct SealedColumn {
    /// See [`Label::LABEL`](crate::Label::LABEL).
    pub label: &'static str,
    /// The column that held the plaintext before; `None` for a column that was sealed from the start.
    pub plain: Option<&'static str>,
    /// The column with the cell.
    pub sealed: &'static str,
    /// The column with the blind index, if the value is searched for.
    pub index: Option<&'static str>,
    /// Whether the value may be NULL.
    pub nullable: bool,
}

impl SealedTable {
    /// The columns that held plaintext before, in the order of [`SealedTable::columns`]: all or none.
    pub fn plain_columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().filter_map(|column| column.plain)
    }
}
