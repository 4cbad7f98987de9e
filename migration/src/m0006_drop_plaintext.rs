//! Step 6: the plaintext goes, once every cell has opened to it.

use std::sync::Arc;

use crate::phase_step::{PhaseStep, Phases};
use crate::{Backfill, Phase};

pub(crate) fn step(backfill: Arc<dyn Backfill>) -> PhaseStep {
    PhaseStep {
        name: "drop_plaintext",
        phases: Phases { table: "credential", below: Phase::Required, above: Phase::Sealed },
        work: (
            Some(
                "opens every cell and compares it with its plaintext, page by page; then what changed since, with writers excluded",
            ),
            Some(
                "opens every cell beside itself and compares it, page by page; then what changed since, with writers excluded",
            ),
        ),
        destroys: (
            Some(
                "drops the plaintext columns access_key and secret_key, once every cell has opened to them",
            ),
            Some("puts the secrets back in the clear, beside the cells"),
        ),
        backfill,
    }
}
