//! The export: read a page here, look at what Keystone has, add and change the rest.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::DbErr;
use serde::Serialize;

use super::form::{self, Form};
use super::import::Quarantined;
use super::repository::Decrypted;
use super::source::{self, SourceRow};
use super::target::{self, Target, TargetRow};
use crate::credential::{Credential, Filter, NewCredential, Store, StoreError};
use crate::db::{self, Transient, is_constraint_violation, is_transient, retry};
use crate::key::Unopened;

const PAGE: u64 = 500;

/// What an export did, or with `dry_run` would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExportReport {
    /// Credentials read here.
    pub read: u64,
    /// Rows that are new in Keystone.
    pub exported: u64,
    /// Rows of Keystone's that said something else, and were agreed to be overwritten.
    pub updated: u64,
    /// Rows of Keystone's that say the same already.
    pub unchanged: u64,
    /// Credentials that were passed over.
    pub quarantined: Vec<Quarantined>,
    /// In a dry run: rows of Keystone's that say something else, and would stop the export.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_overwrite: Option<u64>,
}

/// Why an export ended early. What was exported stays, and is `unchanged` next time.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Keystone's database.
    #[error("Keystone's database: {0}")]
    Target(#[from] DbErr),
    /// Our own.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// To be overwritten only when that is asked for.
    #[error("{count} of Keystone's rows say something else; the first is {first}")]
    Differs {
        /// How many.
        count: u64,
        /// Its id in Keystone.
        first: String,
    },
    /// A person asked to stop.
    #[error("interrupted; what was exported stays")]
    Interrupted,
    /// The encrypting task was dropped.
    #[error("encrypting was dropped by the runtime")]
    Dropped,
}

impl Transient for ExportError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Target(error) if is_transient(error))
    }
}

/// How to export.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportOptions {
    /// Write nothing.
    pub dry_run: bool,
    /// Overwrite rows of Keystone's that say something else.
    pub overwrite: bool,
}

/// Exports every credential. Unless rows may be overwritten, all are looked at before the first is
/// written. `go_on` is told of each page how many credentials it has, and may say no.
pub async fn export(
    store: &Store,
    target: &Target,
    options: ExportOptions,
    go_on: &(dyn Fn(u64) -> bool + Send + Sync),
) -> Result<ExportReport, ExportError> {
    let run = Run { store, target, overwrite: options.overwrite, go_on };
    if options.dry_run {
        let Settled { mut report, differing: Differing { count, .. } } = run.pass(false).await?;
        (report.updated, report.would_overwrite) = if options.overwrite { (count, None) } else { (0, Some(count)) };
        return Ok(report);
    }
    if !options.overwrite {
        run.pass(false).await?.differing.refuse()?;
    }
    Ok(run.pass(true).await?.report)
}

struct Run<'a> {
    store: &'a Store,
    target: &'a Target,
    overwrite: bool,
    go_on: &'a (dyn Fn(u64) -> bool + Send + Sync),
}

/// Rows of Keystone's that say something else.
#[derive(Default)]
struct Differing {
    count: u64,
    first: Option<String>,
}

/// What became of some rows.
#[derive(Default)]
struct Settled {
    report: ExportReport,
    differing: Differing,
}

/// A credential that has a form in Keystone.
struct Row {
    ours: NewCredential,
    form: Form,
}

/// What Keystone has in a row's place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    Same,
    Another,
}

impl Run<'_> {
    /// Goes through the table once, looking only or writing too.
    async fn pass(&self, write: bool) -> Result<Settled, ExportError> {
        let mut so_far = Settled::default();
        let mut filter = Filter::default();
        loop {
            let page = self.store.list(&filter, PAGE).await?;
            if !(self.go_on)(page.credentials.len() as u64) {
                return Err(ExportError::Interrupted);
            }
            let ids: Vec<String> = page.credentials.into_iter().map(|listed| listed.id).collect();
            let rows = self.open(&ids, &mut so_far.report).await?;
            self.settle(&rows, write, &mut so_far).await?;
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(so_far),
            }
        }
    }

    /// Opens credentials and gives them Keystone's form.
    async fn open(&self, ids: &[String], report: &mut ExportReport) -> Result<Vec<Arc<Row>>, ExportError> {
        let mut found = self.store.find_many(ids).await?;
        let mut rows = Vec::new();
        // One that is gone was deleted since it was listed.
        for opened in ids.iter().filter_map(|id| found.remove(id)) {
            report.read += 1;
            match opened.and_then(as_new) {
                Ok(ours) => match form::write(&ours) {
                    Some(form) => rows.push(Arc::new(Row { ours, form })),
                    None => report.pass_over(ours.id, "unfit"),
                },
                Err(StoreError::Unopenable { id, reason }) => report.pass_over(id, reason.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        self.without_displaced(rows, report).await
    }

    /// An EC2 row moves to the digest of its access key. Where another credential of ours stands under that
    /// very id, both would go to one place.
    async fn without_displaced(&self, rows: Vec<Arc<Row>>, report: &mut ExportReport) -> Result<Vec<Arc<Row>>, ExportError> {
        let moved: Vec<String> = rows.iter().filter(|row| row.form.id != row.ours.id).map(|row| row.form.id.clone()).collect();
        let taken = if moved.is_empty() { HashMap::new() } else { self.store.find_many(&moved).await? };
        let (displaced, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.form.id != row.ours.id && taken.contains_key(&row.form.id));
        for row in displaced {
            report.pass_over(row.ours.id.clone(), "conflict");
        }
        Ok(rows)
    }

    /// The page at once; one by one when Keystone's database refuses some row of it.
    async fn settle(&self, rows: &[Arc<Row>], write: bool, so_far: &mut Settled) -> Result<(), ExportError> {
        match retry!(self.together(rows, write)) {
            Err(ExportError::Target(error)) if is_constraint_violation(&error) => {}
            done => return done.map(|done| so_far.add(done)),
        }
        for row in rows {
            match retry!(self.together(std::slice::from_ref(row), write)) {
                Err(ExportError::Target(error)) if is_constraint_violation(&error) => {
                    so_far.report.pass_over(row.ours.id.clone(), "refused");
                }
                done => so_far.add(done?),
            }
        }
        Ok(())
    }

    async fn together(&self, rows: &[Arc<Row>], write: bool) -> Result<Settled, ExportError> {
        if write {
            return self.write(rows).await;
        }
        let mut done = Settled::default();
        let found = source::find_many(&self.target.db, &ids(rows)).await?;
        for (row, (there, _)) in rows.iter().zip(self.compare(rows, found, false).await?) {
            match there {
                There::Nothing => done.report.exported += 1,
                There::Same => done.report.unchanged += 1,
                There::Another => done.differing.push(&row.form.id),
            }
        }
        Ok(done)
    }

    /// One transaction. What Keystone has is looked at again in it: it may have changed since.
    async fn write(&self, rows: &[Arc<Row>]) -> Result<Settled, ExportError> {
        let transaction = db::begin(&self.target.db).await?;
        let found = source::find_many(&transaction, &ids(rows)).await?;
        let mut done = Settled::default();
        let mut fresh = Vec::new();
        for (row, compared) in rows.iter().zip(self.compare(rows, found, true).await?) {
            match compared {
                (There::Another, _) if !self.overwrite => done.differing.push(&row.form.id),
                (There::Another, Some(changed)) if target::update(&transaction, &changed).await? => done.report.updated += 1,
                (_, Some(new)) => fresh.push(new),
                (_, None) => done.report.unchanged += 1,
            }
        }
        done.differing.refuse()?;
        target::insert(&transaction, &fresh).await?;
        done.report.exported = fresh.len() as u64;
        transaction.commit().await?;
        Ok(done)
    }

    /// Compares on a thread that may block, and encrypts what is to be written.
    async fn compare(
        &self,
        rows: &[Arc<Row>],
        found: HashMap<String, SourceRow>,
        seal: bool,
    ) -> Result<Vec<(There, Option<TargetRow>)>, ExportError> {
        let (rows, target) = (rows.to_vec(), self.target.clone());
        let work = move || {
            let compared = rows.iter().map(|row| {
                let there = compare(&target, row, found.get(&row.form.id));
                let wanted = seal && there != There::Same;
                (there, wanted.then(|| TargetRow::seal(&row.form, &target.primary)))
            });
            compared.collect()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| ExportError::Dropped)
    }
}

/// A row that does not open says something else, and so does one under the all-zero key.
fn compare(target: &Target, row: &Row, found: Option<&SourceRow>) -> There {
    let Some(found) = found else { return There::Nothing };
    let Decrypted::Under(plain) = target.repository.decrypt(&found.encrypted_blob) else { return There::Another };
    match form::read(found, &plain) {
        Ok(theirs) if form::same(&row.ours, &theirs) => There::Same,
        _ => There::Another,
    }
}

fn ids(rows: &[Arc<Row>]) -> Vec<&str> {
    rows.iter().map(|row| row.form.id.as_str()).collect()
}

fn as_new(found: Credential) -> Result<NewCredential, StoreError> {
    let Credential { id, user_id, project_id, kind, access, secret, extra } = found;
    match secret {
        Some(secret) => Ok(NewCredential { id, user_id, project_id, kind, access, secret, extra }),
        None => Err(StoreError::Unopenable { id, reason: Unopened::Missing }),
    }
}

impl ExportReport {
    fn pass_over(&mut self, id: String, reason: impl Into<String>) {
        self.quarantined.push(Quarantined { id, reason: reason.into() });
    }
}

impl Settled {
    fn add(&mut self, page: Self) {
        self.report.exported += page.report.exported;
        self.report.updated += page.report.updated;
        self.report.unchanged += page.report.unchanged;
        self.differing.count += page.differing.count;
        self.differing.first = self.differing.first.take().or(page.differing.first);
    }
}

impl Differing {
    fn push(&mut self, id: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| id.to_owned());
    }

    fn refuse(&mut self) -> Result<(), ExportError> {
        let Self { count, first } = std::mem::take(self);
        first.map_or(Ok(()), |first| Err(ExportError::Differs { count, first }))
    }
}
