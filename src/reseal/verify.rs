//! Opening every cell to see that it opens. Writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::ConnectionTrait;
use strongroom_entity::{SealedColumn, SealedTable};
use strongroom_migration::Phase;

use super::count;
use super::error::ResealError;
use super::options::{Event, Options};
use super::packet;
use super::page::{self, Cell, Forms, Row, Size};
use super::quarantine::Bad;
use super::walk::Walk;
use crate::crypto::MAXIMUM_PLAINTEXT;
use crate::key::{OpenFailure, Ring};

/// What was found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Verification {
    /// Cells that were opened or tried.
    pub checked: u64,
    /// Those that do not open, or do not say what stands beside them.
    pub failed: Vec<Bad>,
    /// The extent of the values of each column, by the column's plaintext.
    #[doc(hidden)]
    pub extents: BTreeMap<&'static str, Extent>,
}

/// The most that a value of a column has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Characters.
    pub characters: u64,
    /// Bytes in UTF-8.
    pub bytes: u64,
    /// The number of the highest character.
    pub highest: u32,
}

impl Extent {
    fn of(text: &str) -> Self {
        let highest = text.chars().map(u32::from).max().unwrap_or(0);
        Self { characters: text.chars().count() as u64, bytes: text.len() as u64, highest }
    }

    fn with(self, other: Self) -> Self {
        Self {
            characters: self.characters.max(other.characters),
            bytes: self.bytes.max(other.bytes),
            highest: self.highest.max(other.highest),
        }
    }
}

/// Opens every cell of a table, and compares it with its blind index and with plaintext beside it.
pub async fn verify(
    db: &impl ConnectionTrait,
    ring: &Arc<Ring>,
    table: &'static SealedTable,
    phase: Phase,
    options: &Options,
) -> Result<Verification, ResealError> {
    let forms = if phase == Phase::Sealed { Forms::SealedOnly } else { Forms::Both };
    let mut found = Verification::default();
    let mut walk = Walk::over(db, table, forms).await?;
    (options.on_event)(Event::Started { work: "verifying", rows: count::rows(db, table).await? });
    loop {
        if options.stop.is_requested() {
            return Err(ResealError::Interrupted { moved: 0 });
        }
        let size = Size { rows: options.page_size(table), bytes: packet::largest() };
        let rows = walk.next(db, size).await?;
        if rows.is_empty() {
            break;
        }
        (options.on_event)(Event::Advanced { rows: rows.len() as u64 });
        let page = verify_page(db, ring, table, (forms, phase), rows).await?;
        found.checked += page.checked;
        found.failed.extend(page.failed);
        for (column, extent) in page.extents {
            found.widen(column, extent);
        }
    }
    (options.on_event)(Event::Finished);
    Ok(found)
}

/// Opens and compares the cells of these rows, which were read with their plaintext.
pub(super) async fn verify_rows(
    db: &impl ConnectionTrait,
    ring: &Arc<Ring>,
    table: &'static SealedTable,
    phase: Phase,
    rows: Vec<Row>,
) -> Result<Verification, ResealError> {
    verify_page(db, ring, table, (Forms::Both, phase), rows).await
}

async fn verify_page(
    db: &impl ConnectionTrait,
    ring: &Arc<Ring>,
    table: &'static SealedTable,
    (forms, phase): (Forms, Phase),
    rows: Vec<Row>,
) -> Result<Verification, ResealError> {
    ring.learn(db, page::cells(&rows)).await?;
    let ring = ring.clone();
    let page = tokio::task::spawn_blocking(move || inspect(&ring, table, &rows, forms, phase));
    page.await.map_err(|_| ResealError::Dropped)
}

impl Verification {
    fn widen(&mut self, column: &'static str, extent: Extent) {
        let widest = self.extents.entry(column).or_default();
        *widest = widest.with(extent);
    }
}

fn inspect(
    ring: &Ring,
    table: &'static SealedTable,
    rows: &[Row],
    forms: Forms,
    phase: Phase,
) -> Verification {
    let mut found = Verification::default();
    for row in rows {
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            found.checked += u64::from(cell.sealed.is_some());
            match inspect_cell(ring, row, column, cell, forms, phase) {
                Ok(extent) => found.widen(column.plain.unwrap_or(column.sealed), extent),
                Err(reason) => {
                    found.failed.push(Bad { row: row.id.clone(), column: column.sealed, reason });
                }
            }
        }
    }
    found
}

fn inspect_cell(
    ring: &Ring,
    row: &Row,
    column: &'static SealedColumn,
    cell: &Cell,
    forms: Forms,
    phase: Phase,
) -> Result<Extent, OpenFailure> {
    let Some(sealed) = &cell.sealed else {
        return may_be_missing(column, cell, phase).map(|()| Extent::default());
    };
    let opened = ring.open_at(&row.place(column.label), sealed)?;
    // What was never text need not become any.
    if column.plain.is_some() && opened.as_text().is_none() {
        return Err(OpenFailure::NotText);
    }
    let index = column.index.map(|_| ring.index(column.label, opened.as_bytes()).to_vec());
    if cell.index != index {
        return Err(OpenFailure::IndexMismatch);
    }
    let beside = cell.plain.as_ref().map(|plain| plain.as_slice());
    let restored_later = phase == Phase::Restoring && beside.is_none();
    if forms == Forms::Both && beside != Some(opened.as_bytes()) && !restored_later {
        return Err(OpenFailure::DiffersFromPlaintext);
    }
    Ok(opened.as_text().map(Extent::of).unwrap_or_default())
}

/// Before cells are required, a row that an older program wrote has none yet.
fn may_be_missing(column: &SealedColumn, cell: &Cell, phase: Phase) -> Result<(), OpenFailure> {
    let required = phase >= Phase::Required;
    if cell.plain.as_ref().is_some_and(|plain| plain.len() > MAXIMUM_PLAINTEXT) {
        return Err(OpenFailure::CannotBeSealed);
    }
    let expected = required && (cell.plain.is_some() || !column.nullable || cell.index.is_some());
    if expected { Err(OpenFailure::Missing) } else { Ok(()) }
}
