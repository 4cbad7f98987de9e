//! The cells that a run still has to move, counted from the cells themselves.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{ConnectionTrait, DbErr};
use strongroom_entity::{SealedColumn, SealedTable};

use super::count::{by_key, count, key_id, key_id_of};
use super::direction::Direction;
use super::error::ResealError;
use super::page::read_id;
use super::quarantine;
use super::statement::id_value;
use crate::crypto::KeyId;
use crate::db::Dialect;
use crate::key::{Ring, RingError};

/// What a count found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RemainingCells {
    /// Cells that are not yet where the run moves them.
    pub(super) cells: u64,
    /// Those of them that the run could not open.
    pub(super) bad: u64,
}

impl RemainingCells {
    /// Reports whether only cells are left that cannot be moved.
    pub(super) fn is_done(self) -> bool {
        self.cells <= self.bad
    }
}

/// Counts the cells that a run still has to move. A cell under a key of the active generation is where it belongs, also
/// when another program made the key after the ring was loaded.
pub(super) async fn left(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
    direction: Direction,
    ring: &Ring,
    run: &str,
) -> Result<RemainingCells, ResealError> {
    let scope = Scope { table, direction, ring };
    let mut left = RemainingCells::default();
    for column in table.columns {
        left.cells += scope.cells(db, column).await?;
    }
    if left.cells > 0 {
        // Later than the cells: a cell that a program replaces in between counts as movable, which costs a pass.
        for column in table.columns {
            left.bad += scope.bad(db, column, run).await?;
        }
    }
    Ok(left)
}

/// Rows in one statement stay far below every engine's limit of parameters.
const A_STATEMENT: usize = 1000;

struct Scope<'a> {
    table: &'static SealedTable,
    direction: Direction,
    ring: &'a Ring,
}

impl Scope<'_> {
    async fn cells(
        &self,
        db: &impl ConnectionTrait,
        column: &SealedColumn,
    ) -> Result<u64, RingError> {
        if self.direction != Direction::Roll {
            let condition = self.lacks_the_other_form(db, column);
            return Ok(if let Some(condition) = condition {
                count(db, self.table, &condition).await?
            } else {
                0
            });
        }
        let by_key = by_key(db, self.table, column.sealed).await?;
        self.ring.learn_keys(db, &by_key.iter().filter_map(|(id, _)| *id).collect()).await?;
        Ok(by_key.iter().filter(|(id, _)| !self.is_active(*id)).map(|(_, cells)| cells).sum())
    }

    /// Counts the cells of a column that this run has in quarantine and that are still to be moved.
    async fn bad(
        &self,
        db: &impl ConnectionTrait,
        column: &SealedColumn,
        run: &str,
    ) -> Result<u64, RingError> {
        let rows = quarantine::rows_of(db, self.table.name, run, column.sealed).await?;
        let mut bad = 0;
        for chunk in rows.iter().collect::<Vec<_>>().chunks(A_STATEMENT) {
            let still = self.still_left(db, column, chunk).await?;
            bad += chunk.iter().filter(|row| still.contains(row.as_str())).count() as u64;
        }
        Ok(bad)
    }

    /// Returns those of the rows whose cell in this column is still to be moved.
    async fn still_left(
        &self,
        db: &impl ConnectionTrait,
        column: &SealedColumn,
        rows: &[&String],
    ) -> Result<BTreeSet<String>, DbErr> {
        let dialect = Dialect::of(db);
        let condition = match self.direction {
            Direction::Roll => Some(format!("{} IS NOT NULL", dialect.quoted(column.sealed))),
            Direction::Seal | Direction::Open => self.lacks_the_other_form(db, column),
        };
        let Some(condition) = condition else { return Ok(BTreeSet::new()) };
        let (id, ids) =
            (Alias::new(self.table.id.name), rows.iter().map(|row| id_value(self.table.id, row)));
        let mut select = Query::select();
        select
            .column(id.clone())
            .from(Alias::new(self.table.name))
            .and_where(Expr::col(id).is_in(ids));
        select.expr(Expr::cust(key_id(column.sealed, dialect))).and_where(Expr::cust(condition));
        let mut left = BTreeSet::new();
        for row in db.query_all(&select).await? {
            if self.direction != Direction::Roll
                || !self.is_active(key_id_of(row.try_get_by_index(1)?))
            {
                left.insert(read_id(&row, 0, self.table.id.kind)?);
            }
        }
        Ok(left)
    }

    /// The condition of rows that have the form which is read and not the one which is written.
    fn lacks_the_other_form(
        &self,
        db: &impl ConnectionTrait,
        column: &SealedColumn,
    ) -> Option<String> {
        let dialect = Dialect::of(db);
        let (plain, sealed) = (dialect.quoted(column.plain?), dialect.quoted(column.sealed));
        let (from, to) =
            if self.direction == Direction::Seal { (plain, sealed) } else { (sealed, plain) };
        Some(format!("{from} IS NOT NULL AND {to} IS NULL"))
    }

    fn is_active(&self, key: Option<KeyId>) -> bool {
        key.and_then(|id| self.ring.generation_of(id)) == Some(self.ring.active())
    }
}
