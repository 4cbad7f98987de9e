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
    /// Every obstacle of the table.
    #[error("table `{table}`: {}", .obstacles.join("; "))]
    Obstacles {
        /// The table.
        table: String,
        /// Each by its name.
        obstacles: Vec<String>,
    },
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Unfit {
    pub(super) fn refuse(table: &str, obstacles: &[String]) -> Result<(), Self> {
        if obstacles.is_empty() {
            return Ok(());
        }
        Err(Self::Obstacles { table: table.to_owned(), obstacles: obstacles.to_vec() })
    }
}
