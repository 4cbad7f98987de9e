//! What became of an export, in whole and in part.

use sea_orm::DbErr;
use serde::Serialize;

use super::import::Quarantined;
use crate::credential::StoreError;
use crate::db::{Transient, is_transient};

/// What an export did, or with `dry_run` would do.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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

/// Rows of Keystone's that say something else.
#[derive(Default)]
pub(super) struct Differing {
    pub(super) count: u64,
    first: Option<String>,
}

/// What became of some rows.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) report: ExportReport,
    pub(super) differing: Differing,
}

impl ExportReport {
    pub(super) fn pass_over(&mut self, id: String, reason: impl Into<String>) {
        self.quarantined.push(Quarantined { id, reason: reason.into(), cause: None });
    }
}

impl Settled {
    pub(super) fn add(&mut self, page: Self) {
        self.report.exported += page.report.exported;
        self.report.updated += page.report.updated;
        self.report.unchanged += page.report.unchanged;
        self.differing.count += page.differing.count;
        self.differing.first = self.differing.first.take().or(page.differing.first);
    }
}

impl Differing {
    pub(super) fn push(&mut self, id: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| id.to_owned());
    }

    pub(super) fn refuse(&mut self) -> Result<(), ExportError> {
        let Self { count, first } = std::mem::take(self);
        first.map_or(Ok(()), |first| Err(ExportError::Differs { count, first }))
    }
}
