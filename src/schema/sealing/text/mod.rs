//! The SQL of the stages, per engine: pure functions of the table.

mod domain;
mod mysql;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

use strongroom_entity::SealedTable;
use strongroom_migration::Engine;

pub(super) use mysql::{COMING_BACK, nothing_yet};

use super::guard::shortened;
use super::original::OriginalColumns;

/// What a stage is made of. On MySQL and MariaDB a statement a paragraph, each with what tells that it ran; on the others
/// every stage is one transaction.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    /// Columns for the cells, and the guards that go with them.
    AddCells,
    /// The way back. Plaintext counts, so nothing is lost with them.
    DropCells,
    /// The guards that require cells, and what NOT NULL is proven by later.
    GuardRequired,
    /// Reads the table to prove that every row has its cells. Writers go on.
    ProveRequired,
    /// NOT NULL, once every row has its cells.
    Require,
    /// The way back, also from half-way.
    Release,
    /// What guards cells that count, before they do.
    Bind,
    /// The plaintext goes, and the guards that spoke of it; also what an unfinished way down put back.
    DropPlaintext(&'a OriginalColumns),
    /// Columns for the plaintext again, which nobody but the engine fills.
    AddPlaintext(&'a OriginalColumns),
    /// Once they are filled: as they were, under the guards of required cells.
    RestorePlaintext(&'a OriginalColumns),
    /// The guards of a table that never had plaintext, in place of those that are there.
    GuardBorn,
    /// Keeps writers out, where no transaction can.
    Hold,
    /// Lets them in again.
    LetIn,
    /// Notes which rows change.
    Record,
    /// The way back.
    StopRecording,
    /// Nothing is guarded any more.
    DropGuards,
    /// The bytes that dropped columns and dead rows left in the files.
    Scrub,
}

/// The table that notes which rows change.
pub(super) fn changed(table: &SealedTable) -> String {
    shortened("strongroom_changed", table.name)
}

impl Piece<'_> {
    /// The text; empty where an engine needs none.
    pub(super) fn of(self, table: &SealedTable, engine: Engine) -> String {
        let statements = match engine {
            Engine::Postgres => postgres::statements(self, table),
            Engine::Sqlite => sqlite::statements(self, table),
            Engine::MySql | Engine::MariaDb => mysql::statements(self, table, engine),
        };
        statements.join("\n\n")
    }
}
