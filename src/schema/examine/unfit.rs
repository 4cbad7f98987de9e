//! Why a table cannot be adopted.

use sea_orm::DbErr;

/// Why a table cannot be adopted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// No such table.
    #[error("there is no table `{0}`")]
    NoTable(String),
    /// The name `credential` is taken by another table.
    #[error("table `credential` is there as well, and is the name that the adopted table gets")]
    NameTaken,
    /// A name that would need quoting.
    #[error("`{0}` is not a plain name: letters, digits and underscores, at most 63")]
    Name(String),
    /// A column that must be there.
    #[error("table `{table}` has no column `{column}`")]
    NoColumn {
        /// The table.
        table: String,
        /// Theirs.
        column: String,
    },
    /// Columns that would get lost on the way.
    #[error("table `{table}` has columns that a credential does not have: {columns}")]
    UnknownColumns {
        /// The table.
        table: String,
        /// Their names.
        columns: String,
    },
    /// A column that holds something else.
    #[error("column `{column}` is {found}, and must be {wanted}")]
    Type {
        /// Theirs.
        column: String,
        /// Its type.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// Not one column, or another one.
    #[error("the primary key must be column `{0}` alone")]
    PrimaryKey(String),
    /// Text columns that compare differently.
    #[error("the text columns have different collations: {0}")]
    Collations(String),
    /// SQLite: text that is compared without regard to case or blanks.
    #[error("a column has a collation of its own, and would miss changes of case or of blanks")]
    LooseCollation,
    /// Rows that a credential cannot be.
    #[error("{rows} rows {what}")]
    Rows {
        /// How many.
        rows: u64,
        /// What is wrong with them.
        what: String,
    },
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}
