//! `strongroom keys quarantine discard`: removes a row that does not open, of any table with cells.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use strongroom::entity::{own_table, quarantine};
use strongroom::migration::Phase;

use super::{Discard, described, quarantined};
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::{Session, release};
use strongroom::db::{Access, DatabaseConnection, Lock};
use strongroom::internal::reseal::{Bad, ResealError, StoredRow, forget_quarantined_row};
use strongroom::key::{OpenFailure, Ring};

pub(super) async fn run(
    discard: &Discard,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Write).await?;
    let table = table_of(discard, quarantined(&db).await?)?;
    let ring = session.ring(&db).await?.ok_or(ResealError::NoRing)?;
    let named = Named { table: &table, id: &discard.id };
    let judged = named.judge(&db, &ring).await?;
    judged.refuse_what_may_be_lost(&db, &named).await?;
    if !judged.bad.is_empty() {
        confirm(session, &[judged.removal(&named)])?;
    }
    // No roll meanwhile, and no generation that is closed for a moment only.
    let lock = session.lock(&db).await?;
    let done = named.discard(&db, &ring, &lock, &judged.bad).await;
    release(lock).await;
    let removed = done?;
    output.result(&json!({ "discarded": removed }), || {
        if removed {
            "discarded".to_owned()
        } else {
            "the row opens by now: it stays, and leaves the list".to_owned()
        }
    });
    Ok(Exit::Done)
}

/// Which table's row is meant.
fn table_of(
    Discard { id, table }: &Discard,
    rows: Vec<quarantine::Model>,
) -> Result<String, Failure> {
    let is_meant = |row: &quarantine::Model| {
        row.row_id == *id && table.as_ref().is_none_or(|table| row.table_name == *table)
    };
    let tables: BTreeSet<String> =
        rows.into_iter().filter(is_meant).map(|row| row.table_name).collect();
    let tables: Vec<_> = tables.into_iter().collect();
    match tables.as_slice() {
        [only] => Ok(only.clone()),
        [] => {
            let failure = Failure::new(
                Exit::Failed,
                "not_in_quarantine",
                "no row of that id is in quarantine",
            );
            Err(failure.help("`strongroom keys quarantine list` names them"))
        }
        _ => {
            let failure = Failure::new(
                Exit::Usage,
                "ambiguous",
                format!("rows of {} have that id", tables.join(", ")),
            );
            Err(failure.help("say which one is meant with --table"))
        }
    }
}

/// A row that somebody wants removed.
struct Named<'a> {
    table: &'a str,
    id: &'a str,
}

/// A row, if it is there, and what of it does not open.
struct Judged {
    row: Option<StoredRow>,
    bad: Vec<Bad>,
}

impl Named<'_> {
    async fn judge(&self, db: &DatabaseConnection, ring: &Arc<Ring>) -> Result<Judged, Failure> {
        let Some((table, phase)) = described(ring, self.table)? else {
            return Err(self.has_no_cells(ring));
        };
        if !phase.cells_count() {
            return Err(plaintext_counts());
        }
        let row = StoredRow::find(db, table, phase, self.id).await?;
        let bad = match &row {
            Some(row) => row.unopened(db, ring).await?,
            None => Vec::new(),
        };
        if phase == Phase::Restoring && row.as_ref().is_some_and(|row| row.has_plaintext(&bad)) {
            return Err(plaintext_counts());
        }
        Ok(Judged { row, bad })
    }

    fn has_no_cells(&self, ring: &Ring) -> Failure {
        if own_table(self.table).is_some() || ring.manifest().describes(self.table) {
            return plaintext_counts();
        }
        let failure = Failure::refused(
            "not_described",
            format!("the ring has no cells in a table `{}`", self.table),
        );
        failure.help("repair or delete the row there; what an import met leaves the list with the next import")
    }

    /// Whether the row was removed; otherwise it opens by now, or is gone, and left the list. It may be another than a
    /// person agreed to: then nothing happens.
    async fn discard(
        &self,
        db: &DatabaseConnection,
        ring: &Arc<Ring>,
        lock: &Lock,
        agreed: &[Bad],
    ) -> Result<bool, Failure> {
        ring.reload(db).await?;
        let judged = self.judge(db, ring).await?;
        if judged.bad != agreed {
            return Err(changed());
        }
        match judged.row.filter(|_| !agreed.is_empty()) {
            None => {
                forget_quarantined_row(db, self.table, self.id).await?;
                Ok(false)
            }
            Some(row) if row.remove(db, lock).await? => Ok(true),
            Some(_) => Err(changed()),
        }
    }
}

impl Judged {
    /// What a key would open that is still there, and what other tables have.
    async fn refuse_what_may_be_lost(
        &self,
        db: &DatabaseConnection,
        named: &Named<'_>,
    ) -> Result<(), Failure> {
        let Some(row) = self.row.as_ref().filter(|_| !self.bad.is_empty()) else { return Ok(()) };
        if self.bad.iter().any(|bad| bad.reason == OpenFailure::RetiredKey) {
            let failure = Failure::refused(
                "retired_key",
                "the row is sealed under a generation that is closed, and its keys are there",
            );
            return Err(
                failure.help("once the time of grace is over, retire that generation again: one that is in use is opened")
            );
        }
        let others = row.takes_along(db).await?;
        if others.is_empty() {
            return Ok(());
        }
        let (table, others) = (named.table, others.join(", "));
        let message = format!(
            "removing the row of `{table}` would remove or change rows of {others}, by their foreign keys"
        );
        let failure = Failure::refused("takes_along", message);
        Err(failure
            .help("repair or delete it with its own program, then run the same command again"))
    }

    /// What a person agrees to: the whole row is lost, and not only what does not open.
    fn removal(&self, Named { table, id }: &Named<'_>) -> String {
        let told = self.row.iter().flat_map(StoredRow::cells).map(|(column, _)| {
            let bad = self.bad.iter().find(|bad| bad.column == column.sealed);
            let how = bad.map_or_else(
                || "opens, and goes with it".to_owned(),
                |bad| format!("does not open ({})", bad.reason),
            );
            format!("{} {how}", column.sealed)
        });
        let told = told.collect::<Vec<_>>().join(", ");
        let copy = "`strongroom keys quarantine export` keeps a copy of the cells that do not open";
        format!("removes row {id} of table {table} with all its columns: {told}; {copy}")
    }
}

/// The row has lost nothing.
fn plaintext_counts() -> Failure {
    let message =
        "the plaintext of this row is there and counts: nothing is lost, and nothing is discarded";
    let failure = Failure::refused("plaintext_counts", message);
    failure.help(
        "change or delete the row itself, then seal again: credentials with `strongroom migrate up --yes`, others by their program",
    )
}

/// The row is another than the one that was judged.
fn changed() -> Failure {
    let failure =
        Failure::new(Exit::Failed, "changed", "the row was changed meanwhile: nothing was removed");
    failure.help("run the same command again")
}
