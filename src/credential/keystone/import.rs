//! The import: reads a page, decrypts it, leaves or updates the rows that are here, inserts the rest.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbErr};
use serde::Serialize;

use super::form;
use super::packet;
use super::repository::{Decrypted, KeyRepository};
use super::source::{self, SourceRow};
use crate::credential::{Credential, Filter, NewCredential, Store, StoreError};

const PAGE: u64 = 500;

/// What an import did, or with `dry_run` would do.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Rows read from Keystone.
    pub read: u64,
    /// Rows that are new here.
    pub imported: u64,
    /// Rows that are here already and say the same.
    pub unchanged: u64,
    /// Rows that were here, said something else, and took Keystone's values. Counted with `update` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<u64>,
    /// Credentials here that Keystone does not have. Counted with `update` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_there: Option<u64>,
    /// Rows that were passed over.
    pub quarantined: Vec<Quarantined>,
}

/// A row that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// The row: an import's in Keystone, an export's here.
    pub id: String,
    /// Import: `undecryptable`, `null_key`, `malformed`, `id_mismatch`, or `conflict` for a row that is
    /// here already and says something else. Export: why it does not open, `unfit` for what Keystone's
    /// table has no place for, or `refused` by Keystone's database.
    pub reason: String,
    /// The reason for a person, where there is more to say. Holds no value of the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Quarantined {
    fn new(id: &str, reason: &str, cause: impl Into<String>) -> Self {
        Self { id: id.to_owned(), reason: reason.to_owned(), cause: Some(cause.into()) }
    }
}

/// Why an import ended early. What was imported stays, and is `unchanged` next time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Keystone's database.
    #[error("Keystone's database: {0}")]
    Source(DbErr),
    /// Our own.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A person asked to stop.
    #[error("interrupted after {0} rows; what was imported stays")]
    Interrupted(u64),
    /// The decrypting task was dropped.
    #[error("decrypting was dropped by the runtime")]
    Dropped,
}

/// How to import.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command, and independent"
)]
pub struct ImportOptions {
    /// Write nothing.
    pub dry_run: bool,
    /// Take rows under the all-zero key too.
    pub accept_null_key: bool,
    /// Take EC2 rows under another id than the SHA-256 of their access key too.
    pub accept_id_mismatch: bool,
    /// Take Keystone's values for rows that are here and say something else.
    pub update: bool,
}

/// Imports every row; with `update`, counts the rows that Keystone lacks. `go_on` receives the number of rows read, and
/// stops the import by `false`.
pub async fn import(
    from: &DatabaseConnection,
    repository: Arc<KeyRepository>,
    store: &Store,
    options: ImportOptions,
    go_on: &(dyn Fn(u64) -> bool + Send + Sync),
) -> Result<Report, ImportError> {
    let run = Run {
        from,
        store,
        options,
        longest: packet::longest(&store.db).await.map_err(StoreError::from)?,
    };
    let mut report = Report { updated: options.update.then_some(0), ..Report::default() };
    let mut after = String::new();
    loop {
        if !go_on(report.read) {
            return Err(ImportError::Interrupted(report.read));
        }
        let rows = source::page(from, &after, PAGE).await.map_err(ImportError::Source)?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        report.read += rows.len() as u64;
        let decoded = decode_all(repository.clone(), rows, options).await?;
        run.take(decoded, &mut report).await?;
    }
    if options.update {
        report.missing_there = Some(run.missing_there(&|| go_on(report.read)).await?);
    }
    Ok(report)
}

type Decoded = Result<NewCredential, Quarantined>;

async fn decode_all(
    repository: Arc<KeyRepository>,
    rows: Vec<SourceRow>,
    options: ImportOptions,
) -> Result<Vec<Decoded>, ImportError> {
    let work = move || rows.iter().map(|row| decode(&repository, row, options)).collect();
    tokio::task::spawn_blocking(work).await.map_err(|_| ImportError::Dropped)
}

fn decode(repository: &KeyRepository, row: &SourceRow, options: ImportOptions) -> Decoded {
    let plain = match repository.decrypt(&row.encrypted_blob) {
        Decrypted::Under(plain) => plain,
        Decrypted::UnderNullKey(plain) if options.accept_null_key => plain,
        Decrypted::UnderNullKey(_) => {
            return Err(Quarantined::new(&row.id, "null_key", UNDER_NULL_KEY));
        }
        Decrypted::Not => {
            return Err(Quarantined::new(&row.id, "undecryptable", why_not(repository, row)));
        }
    };
    let read = form::read(row, &plain, options.accept_id_mismatch);
    read.map_err(|form::Unfit { reason, cause }| Quarantined::new(&row.id, reason, cause))
}

const UNDER_NULL_KEY: &str =
    "encrypted under Keystone's all-zero key; `--accept-null-key` takes such rows";

fn why_not(repository: &KeyRepository, row: &SourceRow) -> &'static str {
    if row.key_hash.as_deref().is_some_and(|hash| repository.has_hash(hash)) {
        "the key that has its key_hash does not open it, and no other key here does: the row was altered or cut"
    } else {
        "no key here has this key_hash: the key was removed from the repository, or this is another Keystone's"
    }
}

struct Run<'a> {
    from: &'a DatabaseConnection,
    store: &'a Store,
    options: ImportOptions,
    /// Bytes of one statement.
    longest: usize,
}

impl Run<'_> {
    async fn take(&self, decoded: Vec<Decoded>, report: &mut Report) -> Result<(), ImportError> {
        let ids: Vec<String> = decoded.iter().flatten().map(|new| new.id.clone()).collect();
        let mut here = self.store.find_many(&ids).await?;
        let mut fresh = Vec::new();
        for row in decoded {
            match row.map(|new| (here.remove(&new.id), new)) {
                Err(bad) => report.quarantined.push(bad),
                Ok((None, new)) => fresh.push(new),
                Ok((Some(Ok(stored)), new)) if is_said(&stored, &new) => report.unchanged += 1,
                Ok((Some(_), new)) if self.options.update => self.update(&new, report).await?,
                Ok((Some(_), new)) => {
                    report.quarantined.push(Quarantined::new(&new.id, "conflict", DIFFERS));
                }
            }
        }
        if self.options.dry_run {
            report.imported += fresh.len() as u64;
            return Ok(());
        }
        let mut rest = &fresh[..];
        while !rest.is_empty() {
            let (now, later) =
                rest.split_at(packet::how_many_fit(rest.iter().map(weight), self.longest));
            self.insert(now, report).await?;
            rest = later;
        }
        Ok(())
    }

    async fn update(&self, new: &NewCredential, report: &mut Report) -> Result<(), ImportError> {
        let done = if self.options.dry_run { Ok(true) } else { self.store.replace(new).await };
        match done {
            Ok(true) => *report.updated.get_or_insert_default() += 1,
            // Deleted here since the page was read: inserted again by the next run.
            Ok(false) => report.quarantined.push(Quarantined::new(
                &new.id,
                "conflict",
                "deleted here during the import",
            )),
            Err(error) => report.quarantined.push(refused(new, error)?),
        }
        Ok(())
    }

    /// Inserts the rows in one statement; row by row when a stored row collides with them.
    async fn insert(
        &self,
        fresh: &[NewCredential],
        report: &mut Report,
    ) -> Result<(), ImportError> {
        match self.store.insert(fresh).await {
            Ok(()) => report.imported += fresh.len() as u64,
            Err(StoreError::Exists | StoreError::Refused) => {
                for new in fresh {
                    match self.store.create(new).await {
                        Ok(()) => report.imported += 1,
                        Err(error) => report.quarantined.push(refused(new, error)?),
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Counts the credentials here that Keystone has neither under their id nor under their access key's digest.
    async fn missing_there(
        &self,
        go_on: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<u64, ImportError> {
        let (mut missing, mut filter) = (0, Filter::default());
        loop {
            if !go_on() {
                return Err(ImportError::Interrupted(0));
            }
            let page = self.store.list(&filter, PAGE).await?;
            let ids: Vec<String> = page.credentials.into_iter().map(|listed| listed.id).collect();
            let not_by_id = self.not_there(ids).await?;
            missing += self.not_by_access_key(not_by_id).await?;
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(missing),
            }
        }
    }

    async fn not_there(&self, mut ids: Vec<String>) -> Result<Vec<String>, ImportError> {
        let asked: Vec<&str> = ids.iter().map(String::as_str).collect();
        let there = source::there(self.from, &asked).await.map_err(ImportError::Source)?;
        ids.retain(|id| !there.contains(id));
        Ok(ids)
    }

    /// An export moves an EC2 credential that was made here to the digest of its access key.
    async fn not_by_access_key(&self, ids: Vec<String>) -> Result<u64, ImportError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let found = self.store.find_many(&ids).await?;
        let accesses = found.values().flatten().filter_map(|found| found.access.as_ref());
        let moved: Vec<String> = accesses.map(|access| form::id_of(access)).collect();
        let elsewhere = moved.len() - self.not_there(moved.clone()).await?.len();
        Ok((ids.len() - elsewhere) as u64)
    }
}

const DIFFERS: &str = "here already, and says something else; `--update` takes Keystone's values";

/// Reports a row that the database refused; returns other errors.
fn refused(new: &NewCredential, error: StoreError) -> Result<Quarantined, StoreError> {
    let cause = match error {
        StoreError::Exists => "another credential here has its id or access key",
        StoreError::Refused => {
            "the database here does not take it: too long, or against a constraint"
        }
        error => return Err(error),
    };
    Ok(Quarantined::new(&new.id, "conflict", cause))
}

/// Estimates a row's bytes in a statement: cells, envelopes, ids and numbers.
fn weight(new: &NewCredential) -> usize {
    let access = new.access.as_ref().map_or(0, |access| access.len());
    2 * (access + new.secret.len()) + new.extra.as_ref().map_or(0, String::len) + 1024
}

/// Whether a stored credential, opened, says exactly what a new one would.
fn is_said(stored: &Credential, new: &NewCredential) -> bool {
    new.user_id == stored.user_id
        && new.project_id == stored.project_id
        && new.kind == stored.kind
        && new.access == stored.access
        && Some(&new.secret) == stored.secret.as_ref()
        && new.extra == stored.extra
}
