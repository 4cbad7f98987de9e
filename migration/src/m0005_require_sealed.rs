//! Step 5: cells are required. From here a program that writes only plaintext gets an error.

use std::sync::Arc;

use crate::phase_step::{PhaseStep, Phases};
use crate::{Backfill, Phase};

pub(crate) fn step(backfill: Arc<dyn Backfill>) -> PhaseStep {
    PhaseStep {
        name: "require_sealed",
        phases: Phases { table: "credential", below: Phase::Filled, above: Phase::Required },
        work: (
            Some(
                "requires cells of what is written from here, then seals what older programs wrote since, page by page",
            ),
            None,
        ),
        destroys: (None, None),
        backfill,
    }
}
