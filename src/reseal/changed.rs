//! The rows that changed while a table was verified, by the list that its triggers keep.
//!
//! Promises: with the list standing from before a pass began, every row that was written since the pass read it is on the
//! list; so once writers are kept out, the list is all that is left to verify, however large the table is.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Value};
use strongroom_entity::SealedTable;
use strongroom_migration::Phase;

use super::direction::Direction;
use super::engine::finish_rows;
use super::error::ResealError;
use super::page::Row;
use super::page::{Forms, decode, read_id, select_list};
use super::quarantine::Bad;
use super::statement::id_value;
use super::verify::verify_rows;
use crate::db::{self, Dialect, Lock, statement};
use crate::key::Ring;

/// Entries that are read at once.
const PAGE: usize = 500;
/// So few are left to the moment when writers are kept out.
const FEW: usize = 50;
/// However fast programs write, a run goes on after so many rounds.
const ROUNDS: usize = 40;

/// The list of a table.
pub(super) struct ChangedRows<'a> {
    pub(super) table: &'static SealedTable,
    pub(super) ring: &'a Arc<Ring>,
    pub(super) list: &'a str,
    /// Whether each row is opened beside its cells first.
    pub(super) opens: bool,
}

/// An entry of the list.
struct Entry {
    number: i64,
    id: String,
}

impl ChangedRows<'_> {
    /// Empties the list: whoever reads the table from now on reads those rows as they are.
    pub(super) async fn clear(&self, db: &DatabaseConnection) -> Result<(), ResealError> {
        let sql = format!("DELETE FROM {}", self.name(Dialect::of(db)));
        db::retry!(db.execute_unprepared(&sql)).map(drop).map_err(Into::into)
    }

    /// Puts rows on the list that did not verify, because a program may have been in the midst of them.
    pub(super) async fn add(
        &self,
        db: &DatabaseConnection,
        rows: &[Bad],
    ) -> Result<(), ResealError> {
        let dialect = Dialect::of(db);
        let sql = format!("INSERT INTO {} (id) VALUES ($1)", self.name(dialect));
        for bad in rows {
            let id = id_value(self.table.id, &bad.row);
            db::retry!(db.execute_raw(statement(dialect, &sql, [id.clone()])))?;
        }
        Ok(())
    }

    /// While programs write: goes through the list until little is left of it. What does not verify stays on it.
    pub(super) async fn shorten(
        &self,
        db: &DatabaseConnection,
        lock: &Lock,
    ) -> Result<(), ResealError> {
        let mut after = i64::MIN;
        for _ in 0..ROUNDS {
            lock.check()?;
            let entries = db::retry!(self.entries(db, after, i64::MAX))?;
            let Some(last) = entries.last() else { break };
            let last = last.number;
            if self.opens {
                db::retry!(self.open(db, lock, &entries))?;
            }
            let bad = db::retry!(self.verify(db, &entries, self.lenient()))?;
            let good: Vec<_> =
                entries.iter().filter(|entry| !bad.iter().any(|bad| bad.row == entry.id)).collect();
            db::retry!(self.forget(db, &good))?;
            // Numbers may come late, or again, where nothing is left before them.
            if !bad.is_empty() {
                after = last;
            }
            // Rows that do not become right are for the end to judge.
            if entries.len() < FEW || bad.len() * 2 > entries.len() {
                break;
            }
        }
        Ok(())
    }

    /// With writers kept out: verifies what is on the list, and returns what does not. What this itself writes goes on the
    /// list too, behind the end that it had.
    pub(super) async fn finish(&self, db: &impl ConnectionTrait) -> Result<Vec<Bad>, ResealError> {
        let (mut after, mut bad) = (i64::MIN, Vec::new());
        let end = self.end(db).await?;
        loop {
            let entries = self.entries(db, after, end).await?;
            let Some(last) = entries.last() else { return Ok(bad) };
            after = last.number;
            if self.opens {
                let rows = self.rows(db, &entries).await?;
                bad.extend(finish_rows(db, self.ring, self.table, Direction::Open, rows).await?);
            }
            bad.extend(self.verify(db, &entries, Phase::Required).await?);
        }
    }

    /// On the way down a program that knows only cells makes rows without plaintext until writers are kept out.
    fn lenient(&self) -> Phase {
        if self.opens { Phase::Restoring } else { Phase::Required }
    }

    async fn open(
        &self,
        db: &DatabaseConnection,
        lock: &Lock,
        entries: &[Entry],
    ) -> Result<(), ResealError> {
        let transaction = db::begin(db).await?;
        let rows = self.rows(&transaction, entries).await?;
        // Whoever changes a row in between puts it on the list again.
        match finish_rows(&transaction, self.ring, self.table, Direction::Open, rows).await {
            Ok(_) | Err(ResealError::NoHeadway { .. }) => {}
            Err(error) => return Err(error),
        }
        lock.fence(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn verify(
        &self,
        db: &impl ConnectionTrait,
        entries: &[Entry],
        phase: Phase,
    ) -> Result<Vec<Bad>, ResealError> {
        let rows = self.rows(db, entries).await?;
        Ok(verify_rows(db, self.ring, self.table, phase, rows).await?.failed)
    }

    async fn entries(
        &self,
        db: &impl ConnectionTrait,
        after: i64,
        until: i64,
    ) -> Result<Vec<Entry>, DbErr> {
        let dialect = Dialect::of(db);
        let sql = format!(
            "SELECT n, id FROM {} WHERE n > $1 AND n <= $2 ORDER BY n LIMIT {PAGE}",
            self.name(dialect)
        );
        let between = [after.into(), until.into()];
        let found = db.query_all_raw(statement(dialect, &sql, between)).await?;
        let entry = |row| {
            Ok(Entry {
                number: sea_orm::QueryResult::try_get_by_index(row, 0)?,
                id: read_id(row, 1, self.table.id.kind)?,
            })
        };
        found.iter().map(entry).collect()
    }

    async fn end(&self, db: &impl ConnectionTrait) -> Result<i64, DbErr> {
        let dialect = Dialect::of(db);
        let sql = format!("SELECT coalesce(max(n), 0) FROM {}", self.name(dialect));
        let row = db.query_one_raw(statement(dialect, &sql, [])).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0))
    }

    async fn rows(&self, db: &impl ConnectionTrait, entries: &[Entry]) -> Result<Vec<Row>, DbErr> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let dialect = Dialect::of(db);
        let mut ids: Vec<_> = entries.iter().map(|entry| entry.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let sql = format!(
            "SELECT {} FROM {} WHERE {} IN ({})",
            select_list(self.table, Forms::Both, dialect),
            dialect.quoted(self.table.name),
            dialect.quoted(self.table.id.name),
            parameters(ids.len()),
        );
        let values = ids.into_iter().map(|id| id_value(self.table.id, id));
        let found = db.query_all_raw(statement(dialect, &sql, values)).await?;
        found.iter().map(|row| decode(row, self.table, Forms::Both)).collect()
    }

    async fn forget(&self, db: &impl ConnectionTrait, entries: &[&Entry]) -> Result<(), DbErr> {
        if entries.is_empty() {
            return Ok(());
        }
        let dialect = Dialect::of(db);
        let list = parameters(entries.len());
        let sql = format!("DELETE FROM {} WHERE n IN ({list})", self.name(dialect));
        let numbers = entries.iter().map(|entry| Value::from(entry.number));
        db.execute_raw(statement(dialect, &sql, numbers)).await.map(drop)
    }

    fn name(&self, dialect: Dialect) -> String {
        dialect.quoted(self.list)
    }
}

/// `$1, $2, …`
fn parameters(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
