//! Step 3: cells and blind index beside the plaintext, with the guards that keep plaintext out of them.

use std::sync::Arc;

use crate::phase_step::{PhaseStep, Phases};
use crate::{Backfill, Phase};

pub(crate) fn step(backfill: Arc<dyn Backfill>) -> PhaseStep {
    PhaseStep {
        name: "add_sealed_columns",
        phases: Phases { table: "credential", below: Phase::Plain, above: Phase::Dual },
        work: (None, None),
        destroys: (
            None,
            Some("drops the cells and the blind index; the plaintext beside them stays"),
        ),
        backfill,
    }
}
