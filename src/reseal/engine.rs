//! The loop: read a page, judge its rows, swap, checkpoint, commit.

use std::sync::Arc;
use std::time::Instant;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use strongroom_entity::SealedTable;

use super::checkpoint::{Checkpoint, announce_writing};
use super::count;
use super::direction::Direction;
use super::error::ResealError;
use super::judged::{Judged, judge, load_keys};
use super::left::{RemainingCells, left};
use super::options::{Event, Options, Stop, largest_page};
use super::packet;
use super::page::{Row, Size};
use super::quarantine::{self, Bad};
use super::side_effect::set_by_the_server;
use super::statement::{Change, compare_and_swap};
use super::walk::{Position, Walk};
use crate::db::{self, Dialect, Lock};
use crate::key::{LIFETIME, Ring, RingError};

/// Passes of sealing and opening, however much programs wrote meanwhile: the next step excludes them
/// and does the rest.
const ENOUGH: u32 = 3;
/// Passes before a run gives up on rows that change faster than they are moved.
const PASSES: u32 = 20;

/// Pages that are sealed again because a key was gone.
const REFUSED: u32 = 3;

/// A page that was read, opened and sealed.
struct Page {
    rows: u64,
    /// Behind its last row.
    position: Position,
    /// The name of the rowid by which it was read.
    rowid: Option<&'static str>,
    judged: Judged,
}

/// A run over one table.
pub(super) struct Engine<'a> {
    pub(super) db: &'a DatabaseConnection,
    pub(super) ring: Arc<Ring>,
    pub(super) lock: &'a Lock,
    pub(super) table: &'static SealedTable,
    pub(super) options: &'a Options,
}

/// What a finished run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    /// Rows moved, by this and by interrupted runs before it.
    pub(super) moved: u64,
    /// Cells that do not open, in quarantine now.
    pub(super) bad: u64,
}

impl Engine<'_> {
    /// Moves every cell, from where an earlier run left off, until a count finds none that could move.
    /// Sealing and opening leave the last rows of a busy table to the step that excludes writers.
    pub(super) async fn run(&self, direction: Direction) -> Result<Report, ResealError> {
        let begun = Instant::now();
        let target = if direction == Direction::Roll {
            i32::try_from(self.ring.active().number()).unwrap_or(i32::MAX)
        } else {
            0
        };
        let mut checkpoint =
            db::retry!(Checkpoint::resume_or_new(self.db, self.table.name, direction, target))?;
        let moved_before = checkpoint.moved;
        for pass in 1..=PASSES {
            self.pass(&mut checkpoint, moved_before).await?;
            if direction == Direction::Roll {
                outlast_cached_generations(begun).await;
            }
            let rest_is_for_the_next_step = direction != Direction::Roll && pass == ENOUGH;
            if self.left(&checkpoint).await?.is_done() || rest_is_for_the_next_step {
                self.finish(checkpoint.clone()).await?;
                let bad = quarantine::count(self.db, self.table, &checkpoint.run).await?;
                return Ok(Report { moved: checkpoint.moved.unsigned_abs(), bad });
            }
        }
        let left = self.left(&checkpoint).await?;
        Err(ResealError::NoHeadway { left: left.cells - left.bad.min(left.cells) })
    }

    async fn left(&self, checkpoint: &Checkpoint) -> Result<RemainingCells, ResealError> {
        db::retry!(left(self.db, self.table, checkpoint.direction, &self.ring, &checkpoint.run))
    }

    async fn pass(
        &self,
        checkpoint: &mut Checkpoint,
        moved_before: i64,
    ) -> Result<(), ResealError> {
        let bytes = packet::page_bytes(self.db, self.table, checkpoint.direction.forms()).await?;
        if checkpoint.position == Position::Start {
            db::retry!(self.begin_pass(checkpoint))?;
        }
        let direction = checkpoint.direction;
        let mut walk = self.walk_on(checkpoint).await?;
        let rows = count::rows(self.db, self.table).await?;
        (self.options.on_event)(Event::Started { work: direction.work(), rows });
        let (mut ahead, mut refused) = (None, 0);
        loop {
            self.stop_if_asked(checkpoint, moved_before).await?;
            let size = Size { rows: self.page_size(checkpoint, moved_before), bytes };
            if ahead.is_none() {
                ahead = self.read_page(&mut walk, direction, size).await?;
            }
            let Some(page) = ahead.take() else { break };
            ahead = match self.write_page(checkpoint, &page, &mut walk, size).await {
                Err(ResealError::Ring(RingError::KeyGone)) if refused < REFUSED => {
                    refused += 1;
                    self.take_stored_keys(checkpoint).await?;
                    walk = self.walk_on(checkpoint).await?;
                    None
                }
                done => done?,
            };
            (self.options.on_event)(Event::Advanced { rows: page.rows });
            if !self.options.batch_delay.is_zero() {
                tokio::time::sleep(self.options.batch_delay).await;
            }
        }
        checkpoint.position = Position::Start;
        (self.options.on_event)(Event::Finished);
        Ok(())
    }

    /// Continues after the checkpoint.
    async fn walk_on(&self, checkpoint: &Checkpoint) -> Result<Walk, ResealError> {
        let forms = checkpoint.direction.forms();
        let unfinished = checkpoint.direction.unfinished(self.table, Dialect::of(self.db));
        let from =
            || Walk::from(self.db, self.table, forms, &unfinished, checkpoint.position.clone());
        Ok(db::retry!(from())?)
    }

    /// Drops the keys in memory after the database refused one of them. Fails if the active generation has changed.
    async fn take_stored_keys(&self, checkpoint: &Checkpoint) -> Result<(), ResealError> {
        tracing::warn!(table = self.table.name, "a key is gone from the database: sealing again");
        self.ring.forget_keys();
        db::retry!(self.ring.refresh_now(self.db))?;
        let is_roll = checkpoint.direction == Direction::Roll;
        if is_roll && i32::try_from(self.ring.active().number()).ok() != Some(checkpoint.target) {
            return Err(RingError::Raced.into());
        }
        Ok(())
    }

    /// Reads the next rows and opens and seals what they hold; `None` at the end.
    async fn read_page(
        &self,
        walk: &mut Walk,
        direction: Direction,
        size: Size,
    ) -> Result<Option<Page>, ResealError> {
        let rows = db::retry!(walk.next(self.db, size))?;
        let Some(position) = rows.last().map(Row::position) else { return Ok(None) };
        db::retry!(load_keys(self.db, &self.ring, direction, &rows))?;
        let count = rows.len() as u64;
        let judged = judge(&self.ring, self.table, direction, rows, false).await?;
        Ok(Some(Page { rows: count, position, rowid: walk.rowid, judged }))
    }

    /// Writes a page, and reads the next one at the same time, unless the options set a limit or a rest.
    async fn write_page(
        &self,
        checkpoint: &mut Checkpoint,
        page: &Page,
        walk: &mut Walk,
        size: Size,
    ) -> Result<Option<Page>, ResealError> {
        let direction = checkpoint.direction;
        let write = async { db::retry!(self.commit_page(checkpoint, page)) };
        if self.options.max_rows.is_some() || !self.options.batch_delay.is_zero() {
            *checkpoint = write.await?;
            return Ok(None);
        }
        let (written, next) =
            futures::future::join(write, self.read_page(walk, direction, size)).await;
        *checkpoint = written?;
        next
    }

    /// A pass meets again what does not open.
    async fn begin_pass(&self, checkpoint: &Checkpoint) -> Result<(), ResealError> {
        let transaction = db::begin(self.db).await?;
        quarantine::forget_run(&transaction, self.table.name, &checkpoint.run).await?;
        self.commit_with(transaction, checkpoint).await
    }

    async fn commit_page(
        &self,
        before: &Checkpoint,
        page: &Page,
    ) -> Result<Checkpoint, ResealError> {
        let transaction = db::begin(self.db).await?;
        announce_writing(&transaction, self.table.name, true).await?;
        let moved =
            swap(&transaction, self.table, before.direction, page.rowid, &page.judged.changes)
                .await?;
        quarantine::record_bad(&transaction, self.table.name, &before.run, &page.judged.bad)
            .await?;
        let moved = before.moved + i64::try_from(moved).unwrap_or(i64::MAX);
        let after = Checkpoint { position: page.position.clone(), moved, ..before.clone() };
        self.commit_with(transaction, &after).await?;
        Ok(after)
    }

    async fn finish(&self, checkpoint: Checkpoint) -> Result<(), ResealError> {
        let finished = Checkpoint { finished: true, position: Position::Start, ..checkpoint };
        db::retry!(self.commit_finish(&finished))
    }

    async fn commit_finish(&self, finished: &Checkpoint) -> Result<(), ResealError> {
        let transaction = db::begin(self.db).await?;
        quarantine::forget_older(&transaction, self.table.name, &finished.run).await?;
        self.commit_with(transaction, finished).await
    }

    async fn commit_with(
        &self,
        transaction: DatabaseTransaction,
        checkpoint: &Checkpoint,
    ) -> Result<(), ResealError> {
        checkpoint.save(&transaction).await?;
        self.lock.fence(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Between pages is the only place where a run stops of its own will.
    async fn stop_if_asked(
        &self,
        checkpoint: &Checkpoint,
        moved_before: i64,
    ) -> Result<(), ResealError> {
        self.lock.check()?;
        let moved = (checkpoint.moved - moved_before).unsigned_abs();
        if self.options.stop.is_requested() {
            return Err(ResealError::Interrupted { moved });
        }
        let enough = self.options.max_rows.is_some_and(|most| moved >= most);
        let late = self.options.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if enough || late {
            let left = self.left(checkpoint).await?;
            if !left.is_done() {
                return Err(ResealError::CutShort { moved, left: left.cells });
            }
        }
        Ok(())
    }

    fn page_size(&self, checkpoint: &Checkpoint, moved_before: i64) -> u64 {
        let moved = (checkpoint.moved - moved_before).unsigned_abs();
        let room = self.options.max_rows.map_or(u64::MAX, |most| most.saturating_sub(moved).max(1));
        self.options.page_size(self.table).min(room)
    }
}

/// With writers excluded, inside the caller's transaction: does what is left, repairs what does not
/// say what counts, and names what does not open.
pub(super) async fn finish_excluded(
    db: &impl ConnectionTrait,
    ring: &Arc<Ring>,
    table: &'static SealedTable,
    direction: Direction,
    stop: &Stop,
) -> Result<Vec<Bad>, ResealError> {
    let mut bad = Vec::new();
    let mut walk = Walk::over(db, table, direction.forms()).await?;
    let bytes = packet::page_bytes(db, table, direction.forms()).await?;
    let size = Size { rows: largest_page(table).min(1000), bytes };
    announce_writing(db, table.name, true).await?;
    loop {
        let rows = walk.next(db, size).await?;
        if rows.is_empty() {
            break;
        }
        if stop.is_requested() {
            return Err(ResealError::Interrupted { moved: 0 });
        }
        load_keys(db, ring, direction, &rows).await?;
        let judged = judge(ring, table, direction, rows, true).await?;
        let swapped = swap(db, table, direction, walk.rowid, &judged.changes).await?;
        if swapped != judged.changes.len() as u64 {
            return Err(ResealError::NoHeadway { left: judged.changes.len() as u64 - swapped });
        }
        bad.extend(judged.bad);
    }
    announce_writing(db, table.name, false).await?;
    Ok(bad)
}

/// Swaps what is still as it was read; how many rows were.
async fn swap(
    db: &impl ConnectionTrait,
    table: &SealedTable,
    direction: Direction,
    rowid: Option<&str>,
    changes: &[Change],
) -> Result<u64, ResealError> {
    if changes.is_empty() {
        return Ok(0);
    }
    let (compare, set) = (direction.compared(table, Dialect::of(db)), direction.set(table));
    let kept = set_by_the_server(db, table).await?;
    let statement = compare_and_swap(Dialect::of(db), table, rowid, &compare, &set, &kept, changes);
    match db.execute_raw(statement).await {
        Err(error) if db::is_sealed_under_gone_key(&error) => Err(RingError::KeyGone.into()),
        done => Ok(done?.rows_affected()),
    }
}

/// Other programs may seal under the generation before until their copy of the manifest is too old;
/// as long again for what they had sealed and not yet sent.
async fn outlast_cached_generations(begun: Instant) {
    tokio::time::sleep_until((begun + 2 * LIFETIME).into()).await;
}
