//! Why a table is not brought where it was asked to be. Nothing was changed.

use sea_orm::DbErr;
use strongroom_migration::Phase;

/// Why a table is not brought where it was asked to be. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsealable {
    /// Pages of rows are committed as they are done.
    #[error("sealing commits its own pages: let the step return `Some(false)` from `use_transaction`")]
    InTransaction,
    /// No such table.
    #[error("there is no table `{0}`")]
    NoTable(&'static str),
    /// No such column.
    #[error("table `{table}` has no column `{column}`")]
    NoColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A column of that name is there already, and nobody knows what is in it.
    #[error("table `{table}` has a column `{column}` already: rename one of the two")]
    ColumnTaken {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A column that does not hold what it is said to.
    #[error("column `{column}` of `{table}` is {found}, and must be {wanted}")]
    Type {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Its type.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// Something would go with the column, or keep it from going, and could not be given back.
    #[error(
        "column `{column}` of `{table}` cannot be dropped and given back because of {what}: remove that first, and add it again if it is still wanted"
    )]
    Entangled {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What depends on it.
        what: String,
    },
    /// SQLite would have to drop the table for a moment, and other tables' foreign keys would act on that.
    #[error(
        "table `{table}` would have to be made anew, and foreign keys of {by} refer to it: remove those first, and add them again after it is sealed"
    )]
    Referenced {
        /// The table.
        table: &'static str,
        /// The other tables.
        by: String,
    },
    /// Rows that cannot be sealed.
    #[error("{rows} rows of `{table}` {what}")]
    Rows {
        /// How many.
        rows: u64,
        /// The table.
        table: &'static str,
        /// What is wrong with them.
        what: String,
    },
    /// A table whose columns were sealed from the start has nothing to go back to.
    #[error("table `{table}` is described without plaintext, and does not go from `{}` to `{}`: only to `sealed`", now.as_str(), to.as_str())]
    NeverPlain {
        /// The table.
        table: &'static str,
        /// Where it is.
        now: Phase,
        /// Where it was to go.
        to: Phase,
    },
    /// A table that has cells which are all there is of its values.
    #[error("table `{0}` is not in the clear: bring it to phase `plain` before it is forgotten")]
    StillSealed(&'static str),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<Unsealable> for DbErr {
    fn from(error: Unsealable) -> Self {
        match error {
            Unsealable::Database(error) => error,
            error => Self::Migration(error.to_string()),
        }
    }
}
