//! Step 4: every row sealed beside its plaintext, page by page, while programs write.
//!
//! The way down leaves the cells to step 3, because plaintext counts.

use std::sync::Arc;

use crate::phase_step::{PhaseStep, Phases};
use crate::{Backfill, Phase};

pub(crate) fn step(backfill: Arc<dyn Backfill>) -> PhaseStep {
    PhaseStep {
        name: "seal_credential",
        phases: Phases { table: "credential", below: Phase::Dual, above: Phase::Filled },
        work: (Some("seals every row beside its plaintext, page by page"), None),
        destroys: (None, None),
        backfill,
    }
}
