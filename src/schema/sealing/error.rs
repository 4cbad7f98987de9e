//! Why a table is not brought where it was asked to be. Nothing was changed.

use sea_orm::DbErr;
use strongroom_migration::Phase;

use crate::db::{unwrapped, wrapped};

/// Why a table is not brought where it was asked to be. Nothing was changed. A step's [`DbErr`] carries it: see
/// [`Unsealable::of`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsealable {
    /// Pages of rows are committed as they are done.
    #[error(
        "sealing commits its own pages: let the step return `Some(false)` from `use_transaction`"
    )]
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
    /// Rows are paged by their ids, and one of two rows with the same id would be skipped.
    #[error(
        "column `{column}` of `{table}` does not tell rows apart: alone it must be the primary key or UNIQUE, and NOT NULL"
    )]
    NotUnique {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// Nothing sees to the uniqueness of what is sealed without a blind index, and on the way back it would be asked for.
    #[error(
        "column `{column}` of `{table}` is UNIQUE, which nothing sees to while it is sealed: give the entity a BlindIndex column for it"
    )]
    UniqueWithoutIndex {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// MySQL and MariaDB run no triggers for what a foreign key changes.
    #[error(
        "a foreign key of `{table}` changes column `{column}` past its guards, and cells are bound to that: make it ON UPDATE RESTRICT, and ON DELETE RESTRICT or CASCADE"
    )]
    PastGuards {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
    },
    /// Sealing rewrites every row, which a trigger takes for a change of it.
    #[error(
        "sealing table `{table}` would fire {}: give each the condition {condition}, or limit it to other columns", names.join(", ")
    )]
    Triggers {
        /// The table.
        table: &'static str,
        /// The triggers and rules.
        names: Vec<String>,
        /// What each of them must ask first.
        condition: String,
    },
    /// The table has cells by another description than this one.
    #[error(
        "table `{table}` is in phase `{}` by another description, which differs in {differs}: bring it to `plain` by the description that it was sealed with, and then to `sealed` by this one",
        phase.as_str()
    )]
    DescribedOtherwise {
        /// The table.
        table: &'static str,
        /// Where it is.
        phase: Phase,
        /// The columns and owners that differ.
        differs: String,
    },
    /// Columns are altered table by table, and such a table has others below it or above.
    #[error("`{table}` is {found}, and sealing takes an ordinary table")]
    Kind {
        /// The table.
        table: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// Rows that a session does not see are neither sealed nor proven.
    #[error(
        "table `{0}` has row-level security, which hides rows from what counts and proves them: disable it"
    )]
    RowSecurity(&'static str),
    /// Values are compared, and bound, by the bytes of their text.
    #[error(
        "the database keeps text as {0}, and sealing needs UTF-8: copy it into a database that is made with that"
    )]
    Encoding(String),
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
    /// Strongroom's own steps seal its own tables.
    #[error("table `{0}` is Strongroom's own: `strongroom migrate up --yes` seals it")]
    Ours(&'static str),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Unsealable {
    /// What a step's error carries, if that is why it failed.
    ///
    /// ```
    /// # use strongroom::schema::{HostError, Unsealable};
    /// fn must_be_renamed(error: &HostError) -> bool {
    ///     let HostError::Step { source, .. } = error else { return false };
    ///     matches!(Unsealable::of(source), Some(Unsealable::ColumnTaken { .. }))
    /// }
    /// ```
    pub fn of(error: &DbErr) -> Option<&Self> {
        unwrapped(error)
    }
}

impl From<Unsealable> for DbErr {
    fn from(error: Unsealable) -> Self {
        match error {
            Unsealable::Database(error) => error,
            error => wrapped(error),
        }
    }
}
