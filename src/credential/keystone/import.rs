//! The import: read a page, decrypt, leave what is there, insert the rest.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbErr};
use serde::Serialize;

use super::form;
use super::repository::{Decrypted, KeyRepository};
use super::source::{self, SourceRow};
use crate::credential::{Credential, NewCredential, Store, StoreError};

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
pub struct ImportOptions {
    /// Write nothing.
    pub dry_run: bool,
    /// Take rows under the all-zero key too.
    pub accept_null_key: bool,
}

/// Imports every row. `go_on` is told how many rows were read, and may say no.
pub async fn import(
    from: &DatabaseConnection,
    repository: Arc<KeyRepository>,
    store: &Store,
    options: ImportOptions,
    go_on: &(dyn Fn(u64) -> bool + Send + Sync),
) -> Result<Report, ImportError> {
    let mut report = Report::default();
    let mut after = String::new();
    loop {
        if !go_on(report.read) {
            return Err(ImportError::Interrupted(report.read));
        }
        let rows = source::page(from, &after, PAGE).await.map_err(ImportError::Source)?;
        let Some(last) = rows.last() else { return Ok(report) };
        after.clone_from(&last.id);
        report.read += rows.len() as u64;
        let decoded = decode_all(repository.clone(), rows, options.accept_null_key).await?;
        take(store, decoded, options.dry_run, &mut report).await?;
    }
}

type Decoded = Result<NewCredential, Quarantined>;

async fn decode_all(
    repository: Arc<KeyRepository>,
    rows: Vec<SourceRow>,
    accept_null_key: bool,
) -> Result<Vec<Decoded>, ImportError> {
    let work = move || rows.iter().map(|row| decode(&repository, row, accept_null_key)).collect();
    tokio::task::spawn_blocking(work).await.map_err(|_| ImportError::Dropped)
}

fn decode(repository: &KeyRepository, row: &SourceRow, accept_null_key: bool) -> Decoded {
    let bad = |reason: &str| Quarantined { id: row.id.clone(), reason: reason.into() };
    let plain = match repository.decrypt(&row.encrypted_blob) {
        Decrypted::Under(plain) => plain,
        Decrypted::UnderNullKey(plain) if accept_null_key => plain,
        Decrypted::UnderNullKey(_) => return Err(bad("null_key")),
        Decrypted::Not => return Err(bad("undecryptable")),
    };
    form::read(row, &plain).map_err(bad)
}

async fn take(store: &Store, decoded: Vec<Decoded>, dry_run: bool, report: &mut Report) -> Result<(), ImportError> {
    let ids: Vec<String> = decoded.iter().flatten().map(|new| new.id.clone()).collect();
    let mut here = store.find_many(&ids).await?;
    let mut fresh = Vec::new();
    for row in decoded {
        match row.map(|new| (here.remove(&new.id), new)) {
            Err(bad) => report.quarantined.push(bad),
            Ok((None, new)) => fresh.push(new),
            Ok((Some(Ok(stored)), new)) if is_said(&stored, &new) => report.unchanged += 1,
            Ok((Some(_), new)) => report.quarantined.push(Quarantined { id: new.id, reason: "conflict".into() }),
        }
    }
    if dry_run {
        report.imported += fresh.len() as u64;
        return Ok(());
    }
    insert(store, fresh, report).await
}

/// The page at once; one by one when some row of it collides with another that is here already.
async fn insert(store: &Store, fresh: Vec<NewCredential>, report: &mut Report) -> Result<(), ImportError> {
    if fresh.is_empty() {
        return Ok(());
    }
    match store.insert(&fresh).await {
        Ok(()) => report.imported += fresh.len() as u64,
        Err(StoreError::Exists | StoreError::Refused) => {
            for new in fresh {
                match store.create(&new).await {
                    Ok(()) => report.imported += 1,
                    Err(StoreError::Exists | StoreError::Refused) => {
                        report.quarantined.push(Quarantined { id: new.id, reason: "conflict".into() });
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
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
