//! A page of rows, opened and sealed: what is to be written of it.

use std::sync::Arc;

use sea_orm::ConnectionTrait;
use strongroom_entity::SealedTable;

use super::direction::{Direction, Verdict};
use super::error::ResealError;
use super::page::{self, Row};
use super::quarantine::Bad;
use super::statement::Change;
use crate::key::Ring;

/// What is to be written of a page.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) changes: Vec<Change>,
    pub(super) bad: Vec<Bad>,
}

/// Loads the keys that the rows' cells name, and makes those that they will be sealed under. Programs may make keys of the
/// same scopes at the same moment: an error that passes is for the caller to try again.
pub(super) async fn load_keys(
    db: &impl ConnectionTrait,
    ring: &Ring,
    direction: Direction,
    rows: &[Row],
) -> Result<(), ResealError> {
    ring.learn(db, page::cells(rows)).await?;
    if direction != Direction::Open {
        ring.prepare(db, rows.iter().map(|row| row.scope.clone())).await?;
    }
    Ok(())
}

/// Opens and seals away from the async threads.
pub(super) async fn judge(
    ring: &Arc<Ring>,
    table: &'static SealedTable,
    direction: Direction,
    rows: Vec<Row>,
    strict: bool,
) -> Result<Judged, ResealError> {
    let ring = ring.clone();
    let work = move || {
        let verdicts = rows
            .iter()
            .map(|row| direction.judge(&ring, table, row, strict))
            .collect::<Result<Vec<Verdict>, _>>();
        verdicts.map(|verdicts| verdicts.into_iter().fold(Judged::default(), Judged::with))
    };
    let judged = tokio::task::spawn_blocking(work).await.map_err(|_| ResealError::Dropped)?;
    Ok(judged?)
}

impl Judged {
    fn with(mut self, verdict: Verdict) -> Self {
        self.changes.extend(verdict.change);
        self.bad.extend(verdict.bad);
        self
    }
}
