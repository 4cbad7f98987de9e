//! Step 5: cells are required. From here a program that writes only plaintext gets an error.

use std::sync::Arc;

use crate::phase_step::{PhaseStep, Phases};
use crate::{Backfill, Phase};

pub(crate) fn step(backfill: Arc<dyn Backfill>) -> PhaseStep {
    PhaseStep {
        name: "require_sealed",
        phases: Phases { table: "credential", below: Phase::Filled, above: Phase::Required },
        work: (Some("seals what older programs wrote since, with writers excluded"), None),
        destroys: (None, None),
        backfill,
    }
}
