//! The whole chain, read from its beginning.

use sea_orm::{
    ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde::Serialize;
use strongroom_entity::audit::{Column, Entity, Model};
use strongroom_entity::audit_head;

use super::AuditError;
use super::entry::bytes;
use crate::key::AuditKey;

/// What is wrong at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flaw {
    /// The row was altered, moved, or written without the key; or the code of the row before it was.
    Altered,
    /// There is no row of this number.
    Missing,
    /// The chain's end row speaks of another last row, or there are rows beyond it.
    End,
}

/// A place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The row.
    pub number: i64,
    /// What is wrong.
    pub reason: Flaw,
}

/// What came of reading the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Rows read.
    pub checked: u64,
    /// The last row and its code in hex: whoever keeps it elsewhere notices rows that were cut off.
    pub last: Option<(i64, String)>,
    /// Where the chain does not hold; empty when it does.
    pub problems: Vec<Problem>,
}

const PAGE: u64 = 1000;

/// Reads every row. `kept` is a [`Report::last`] of an earlier time: the chain must still have that row.
pub async fn verify(
    db: &DatabaseConnection,
    key: &AuditKey,
    kept: Option<&(i64, String)>,
) -> Result<Report, AuditError> {
    // Rows that come meanwhile are beyond the end that is read after them, or not in here.
    let (lowest, newest) = outermost(db).await?;
    let end = audit_head::Entity::find_by_id(1_i16).one(db).await?.ok_or(AuditError::NoHead)?;
    let mut chain = Chain::default();
    loop {
        let rows = Entity::find()
            .filter(Column::Number.gt(chain.number))
            .filter(Column::Number.lte(end.number));
        let rows = rows.order_by_asc(Column::Number).limit(PAGE).all(db).await?;
        for row in &rows {
            chain.take(key, row, kept);
        }
        if rows.is_empty() {
            break;
        }
    }
    if chain.number < end.number || chain.mac != end.mac {
        chain.problem(end.number.max(chain.number), Flaw::End);
    }
    if let Some(newest) = newest.filter(|newest| *newest > end.number) {
        chain.problem(newest, Flaw::End);
    }
    if let Some(lowest) = lowest.filter(|lowest| *lowest < 1) {
        chain.problem(lowest, Flaw::Altered);
    }
    if let Some((number, _)) = kept.filter(|(number, _)| *number > chain.number) {
        chain.problem(*number, Flaw::Missing);
    }
    let last = (chain.checked > 0).then(|| (chain.number, hex::encode(&chain.mac)));
    Ok(Report { checked: chain.checked, last, problems: chain.problems })
}

/// The smallest and the largest number that there is.
async fn outermost(db: &DatabaseConnection) -> Result<(Option<i64>, Option<i64>), AuditError> {
    let both = Entity::find()
        .select_only()
        .column_as(Column::Number.min(), "least")
        .column_as(Column::Number.max(), "newest");
    Ok(both.into_tuple().one(db).await?.unwrap_or_default())
}

#[derive(Default)]
struct Chain {
    checked: u64,
    number: i64,
    mac: Vec<u8>,
    problems: Vec<Problem>,
}

impl Chain {
    fn take(&mut self, key: &AuditKey, row: &Model, kept: Option<&(i64, String)>) {
        self.checked += 1;
        let next = self.number.saturating_add(1);
        let follows = row.number == next;
        if !follows {
            self.problem(next, Flaw::Missing);
        }
        // After a gap the code before is not known, and the row's own cannot be checked.
        let holds = !follows || key.verifies(&self.mac, &bytes(row), &row.mac);
        let is_kept =
            kept.is_none_or(|(number, mac)| *number != row.number || *mac == hex::encode(&row.mac));
        if !holds || !is_kept {
            self.problem(row.number, Flaw::Altered);
        }
        self.number = row.number;
        self.mac.clone_from(&row.mac);
    }

    fn problem(&mut self, number: i64, reason: Flaw) {
        self.problems.push(Problem { number, reason });
    }
}
