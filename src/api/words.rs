//! The words that audit rows may have: those that a package lists, and no others.

use std::collections::BTreeSet;

use super::refusal::Refusal;
use strongroom::audit::{Action, Barrier, Entry};

/// Every listed word of a service. A service without a list writes no row.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) actions: BTreeSet<Action>,
    pub(super) barriers: BTreeSet<Barrier>,
}

/// A word that no package lists: whoever reads the rows would not know it.
#[derive(Debug, thiserror::Error)]
enum Unlisted {
    #[error("no package lists the audit action `{0}`")]
    Action(&'static str),
    #[error("no package lists the barrier `{0}`")]
    Barrier(&'static str),
}

impl Words {
    /// Refuses an entry with a word that is not listed, as an internal error that the log names.
    pub(super) fn require(&self, entry: &Entry) -> Result<(), Refusal> {
        let unlisted = match entry.barrier {
            _ if !self.actions.contains(&entry.action) => Unlisted::Action(entry.action.as_str()),
            Some(barrier) if !self.barriers.contains(&barrier) => {
                Unlisted::Barrier(barrier.as_str())
            }
            _ => return Ok(()),
        };
        Err(Refusal::internal(&unlisted))
    }
}
