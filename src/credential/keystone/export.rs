//! The export: read a page here, look at what Keystone has, add and change the rest.

use std::collections::HashMap;
use std::sync::Arc;

use super::form::{self, Form};
use super::outcome::{Differing, ExportError, ExportReport, Settled};
use super::repository::Decrypted;
use super::source::{self, SourceRow};
use super::target::{self, Target, TargetRow};
use crate::credential::{Credential, Filter, NewCredential, Store, StoreError};
use crate::db::{self, is_constraint_violation, retry};
use crate::key::OpenFailure;

const PAGE: u64 = 500;

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
        (report.updated, report.would_overwrite) =
            if options.overwrite { (count, None) } else { (0, Some(count)) };
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
    async fn open(
        &self,
        ids: &[String],
        report: &mut ExportReport,
    ) -> Result<Vec<Arc<Row>>, ExportError> {
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
                Err(StoreError::Unopenable { id, reason }) => {
                    report.pass_over(id, reason.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.without_displaced(rows, report).await
    }

    /// An EC2 row moves to the digest of its access key. Where another credential of ours stands under that
    /// very id, both would go to one place.
    async fn without_displaced(
        &self,
        rows: Vec<Arc<Row>>,
        report: &mut ExportReport,
    ) -> Result<Vec<Arc<Row>>, ExportError> {
        let moved: Vec<String> = rows
            .iter()
            .filter(|row| row.form.id != row.ours.id)
            .map(|row| row.form.id.clone())
            .collect();
        let taken =
            if moved.is_empty() { HashMap::new() } else { self.store.find_many(&moved).await? };
        let (displaced, rows): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| row.form.id != row.ours.id && taken.contains_key(&row.form.id));
        for row in displaced {
            report.pass_over(row.ours.id.clone(), "conflict");
        }
        Ok(rows)
    }

    /// The page at once; one by one when Keystone's database refuses some row of it.
    async fn settle(
        &self,
        rows: &[Arc<Row>],
        write: bool,
        so_far: &mut Settled,
    ) -> Result<(), ExportError> {
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
                (There::Another, Some(changed))
                    if target::update(&transaction, &changed).await? =>
                {
                    done.report.updated += 1;
                }
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
    let Decrypted::Under(plain) = target.repository.decrypt(&found.encrypted_blob) else {
        return There::Another;
    };
    match form::read(found, &plain, true) {
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
        None => Err(StoreError::Unopenable { id, reason: OpenFailure::Missing }),
    }
}
