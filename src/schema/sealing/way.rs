//! The way over the phases.

use strongroom_migration::Phase;

/// The phase after `now` on the way to another; `None` when it is reached.
pub(super) fn next(now: Phase, to: Phase) -> Option<Phase> {
    let next = match (now, to > now) {
        _ if now == to => return None,
        (Phase::Plain, _) | (Phase::Filled, false) => Phase::Dual,
        (Phase::Dual, false) => Phase::Plain,
        (Phase::Dual, true) | (Phase::Required, false) => Phase::Filled,
        (Phase::Filled, true) | (Phase::Restoring, false) => Phase::Required,
        (Phase::Required | Phase::Restoring, true) => Phase::Sealed,
        (Phase::Sealed, _) => Phase::Restoring,
    };
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Phase; 6] = [
        Phase::Plain,
        Phase::Dual,
        Phase::Filled,
        Phase::Required,
        Phase::Restoring,
        Phase::Sealed,
    ];

    #[test]
    fn every_phase_is_reached_from_every_other_by_steps_that_lead_there() {
        for from in ALL {
            for to in ALL {
                let mut now = from;
                for _ in 0..8 {
                    let Some(next) = next(now, to) else { break };
                    assert!(now.leads_to(next), "{now:?} to {next:?}");
                    now = next;
                }
                assert_eq!(now, to, "from {from:?}");
            }
        }
    }
}
