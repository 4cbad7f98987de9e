//! What the service found of itself, and when it last looked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use utoipa::ToSchema;

/// One thing that was looked at. It says nothing that a stranger should not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// What.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// How it is, in a few words.
    pub message: String,
}

impl Finding {
    pub(super) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, ok: true, message: message.into() }
    }

    pub(super) fn bad(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, ok: false, message: message.into() }
    }
}

/// Probes come from several sides at once; the database is not asked more often than this.
const LIFETIME: Duration = Duration::from_secs(1);
/// What was found last, and whether the service is on its way out.
#[derive(Default)]
pub(super) struct Readiness {
    leaving: AtomicBool,
    last: Mutex<Option<(Instant, Vec<Finding>)>>,
    /// Of many who ask at once, one looks.
    pub(super) looking: tokio::sync::Mutex<()>,
}

impl Readiness {
    /// From now on it is not ready, so that load balancers send nobody any more.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    pub(super) fn known(&self) -> Option<Vec<Finding>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < LIFETIME).map(|(_, found)| found.clone())
    }

    pub(super) fn keep(&self, found: &[Finding]) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), found.to_vec()));
    }
}
