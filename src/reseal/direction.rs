//! What a run does to a row. Pure, apart from the ring.

use strongroom_entity::{SealedColumn, SealedTable};

use super::page::{Cell, Forms, Row};
use super::quarantine::Bad;
use super::statement::{Change, Slot, owner_slot};
use crate::crypto::{Envelope, SealError};
use crate::db::Dialect;
use crate::key::{CellAddress, OpenFailure, Ring, RingError};

/// Where cells are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Plaintext to cells beside it.
    Seal,
    /// Cells to plaintext beside them.
    Open,
    /// Cells to the active generation.
    Roll,
}

/// What became of a row.
#[derive(Default)]
pub(super) struct Verdict {
    pub(super) change: Option<Change>,
    pub(super) bad: Vec<Bad>,
}

impl Direction {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Open => "open",
            Self::Roll => "roll",
        }
    }

    /// For a progress bar.
    pub(super) fn work(self) -> &'static str {
        match self {
            Self::Seal => "sealing",
            Self::Open => "opening",
            Self::Roll => "rolling",
        }
    }

    pub(super) fn forms(self) -> Forms {
        if self == Self::Roll { Forms::SealedOnly } else { Forms::Both }
    }

    /// The rows that are worth reading: those that still lack a form. A roll tells by the keys.
    pub(super) fn unfinished(self, table: &SealedTable, dialect: Dialect) -> String {
        let lacks = |column: &SealedColumn| {
            let (plain, sealed) = (dialect.quoted(column.plain?), dialect.quoted(column.sealed));
            Some(format!("({plain} IS NULL) <> ({sealed} IS NULL)"))
        };
        match self {
            Self::Roll => "1 = 1".to_owned(),
            Self::Seal | Self::Open => {
                table.columns.iter().filter_map(lacks).collect::<Vec<_>>().join(" OR ")
            }
        }
    }

    /// The columns whose bytes must be unchanged since they were read.
    pub(super) fn compared(self, table: &SealedTable, dialect: Dialect) -> Vec<Slot> {
        let sealed = table.columns.iter().map(|column| Slot::Bytes(column.sealed));
        let plain = table.plain_columns().map(Slot::Text);
        let owners = table.owners.iter().map(|owner| owner_slot(*owner, dialect));
        match self {
            Self::Seal => sealed.chain(plain).chain(owners).collect(),
            Self::Open => sealed.chain(plain).collect(),
            Self::Roll => sealed.collect(),
        }
    }

    /// The columns that are written.
    pub(super) fn set(self, table: &SealedTable) -> Vec<Slot> {
        let sealed = table.columns.iter().map(|column| Slot::Bytes(column.sealed));
        match self {
            Self::Seal => sealed
                .chain(table.columns.iter().filter_map(|column| column.index.map(Slot::Bytes)))
                .collect(),
            Self::Open => table.plain_columns().map(Slot::Text).collect(),
            Self::Roll => sealed.collect(),
        }
    }

    /// What to do with a row. `strict` also repairs cells that are there and do not say what counts.
    pub(super) fn judge(
        self,
        ring: &Ring,
        table: &'static SealedTable,
        row: &Row,
        strict: bool,
    ) -> Result<Verdict, RingError> {
        let mut verdict = Verdict::default();
        let mut new = Vec::with_capacity(table.columns.len());
        let mut changed = false;
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            let at = At { ring, row, column, cell };
            let moved = match self {
                Self::Seal => at.seal(strict)?,
                Self::Open => at.open(strict),
                Self::Roll => at.roll()?,
            };
            changed |= matches!(moved, CellOutcome::To(_));
            new.push(match moved {
                CellOutcome::To(bytes) => bytes,
                CellOutcome::Keep => self.present(cell),
                CellOutcome::Bad(reason) => {
                    verdict.bad.push(Bad { row: row.id.clone(), column: column.sealed, reason });
                    self.present(cell)
                }
            });
        }
        if changed {
            if self == Self::Seal {
                new.extend(indexes(ring, table, row));
            }
            verdict.change = Some(Change {
                rowid: row.rowid,
                id: row.id.clone(),
                old: self.compared_values(row),
                new,
            });
        }
        Ok(verdict)
    }

    /// The bytes in the column that this direction writes.
    fn present(self, cell: &Cell) -> Option<Vec<u8>> {
        if self == Self::Open {
            cell.plain.as_ref().map(|plain| plain.to_vec())
        } else {
            cell.sealed.clone()
        }
    }

    /// In the order of [`Direction::compared`].
    fn compared_values(self, row: &Row) -> Vec<Option<Vec<u8>>> {
        let sealed = row.cells.iter().map(|cell| cell.sealed.clone());
        let plain = row.cells.iter().map(|cell| cell.plain.as_ref().map(|plain| plain.to_vec()));
        let owners = row.owners.iter().cloned();
        match self {
            Self::Seal => sealed.chain(plain).chain(owners).collect(),
            Self::Open => sealed.chain(plain).collect(),
            Self::Roll => sealed.collect(),
        }
    }
}

/// What becomes of one cell.
enum CellOutcome {
    Keep,
    To(Option<Vec<u8>>),
    Bad(OpenFailure),
}

/// One cell where it stands.
struct At<'a> {
    ring: &'a Ring,
    row: &'a Row,
    column: &'static SealedColumn,
    cell: &'a Cell,
}

impl At<'_> {
    fn seal(&self, strict: bool) -> Result<CellOutcome, RingError> {
        let right = match (&self.cell.plain, &self.cell.sealed) {
            (None, None) => true,
            (Some(plain), Some(sealed)) => !strict || self.says(plain, sealed),
            _ => false,
        };
        if right {
            return Ok(CellOutcome::Keep);
        }
        let Some(plain) = &self.cell.plain else { return Ok(CellOutcome::To(None)) };
        self.sealed(plain)
    }

    /// One value that cannot be sealed must not hold up the others.
    fn sealed(&self, plain: &[u8]) -> Result<CellOutcome, RingError> {
        match self.ring.seal_at(&self.place(), plain) {
            Ok(cell) => Ok(CellOutcome::To(Some(cell))),
            Err(RingError::NoKey | RingError::Seal(SealError::TooLong)) => {
                Ok(CellOutcome::Bad(OpenFailure::CannotBeSealed))
            }
            Err(error) => Err(error),
        }
    }

    fn open(&self, strict: bool) -> CellOutcome {
        let Some(sealed) = &self.cell.sealed else {
            return if self.cell.plain.is_none() {
                CellOutcome::Keep
            } else {
                CellOutcome::To(None)
            };
        };
        if self.cell.plain.is_some() && !strict {
            return CellOutcome::Keep;
        }
        match self.ring.open_at(&self.place(), sealed) {
            Err(reason) => CellOutcome::Bad(reason),
            Ok(opened) if opened.as_text().is_none() => CellOutcome::Bad(OpenFailure::NotText),
            Ok(opened)
                if self
                    .cell
                    .plain
                    .as_ref()
                    .is_some_and(|plain| plain.as_slice() == opened.as_bytes()) =>
            {
                CellOutcome::Keep
            }
            Ok(opened) => CellOutcome::To(Some(opened.as_bytes().to_vec())),
        }
    }

    fn roll(&self) -> Result<CellOutcome, RingError> {
        let Some(sealed) = &self.cell.sealed else { return Ok(CellOutcome::Keep) };
        if is_active(self.ring, sealed) {
            return Ok(CellOutcome::Keep);
        }
        match self.ring.open_at(&self.place(), sealed) {
            Ok(opened) => self.sealed(opened.as_bytes()),
            Err(reason) => Ok(CellOutcome::Bad(reason)),
        }
    }

    fn says(&self, plain: &[u8], sealed: &[u8]) -> bool {
        let opens =
            self.ring.open_at(&self.place(), sealed).is_ok_and(|opened| opened.as_bytes() == plain);
        let index = self.column.index.map(|_| self.ring.index(self.column.label, plain).to_vec());
        opens && self.cell.index == index
    }

    fn place(&self) -> CellAddress {
        self.row.place(self.column.label)
    }
}

fn indexes(ring: &Ring, table: &'static SealedTable, row: &Row) -> Vec<Option<Vec<u8>>> {
    let indexed = table.columns.iter().zip(&row.cells).filter(|(column, _)| column.index.is_some());
    indexed
        .map(|(column, cell)| {
            cell.plain.as_ref().map(|plain| ring.index(column.label, plain).to_vec())
        })
        .collect()
}

fn is_active(ring: &Ring, sealed: &[u8]) -> bool {
    let id = Envelope::parse(sealed).ok().map(|envelope| envelope.key_id());
    id.and_then(|id| ring.generation_of(id)) == Some(ring.active())
}
