//! The phases of a sealed table, and the transitions between them.

/// Which columns of a sealed table count. The authenticated manifest holds it; nothing guesses it from the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Plaintext only.
    Plain,
    /// Programs write both; plaintext counts; older rows may lack cells.
    Dual,
    /// As `Dual`, and every row has been filled once.
    Filled,
    /// As `Filled`, and the database refuses rows without cells.
    Required,
    /// Cells count; plaintext is being put back beside them, on the way down.
    Restoring,
    /// Cells only.
    Sealed,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 6] =
        [Self::Plain, Self::Dual, Self::Filled, Self::Required, Self::Restoring, Self::Sealed];

    /// Returns the word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Dual => "dual",
            Self::Filled => "filled",
            Self::Required => "required",
            Self::Restoring => "restoring",
            Self::Sealed => "sealed",
        }
    }

    /// Returns the phase that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == word)
    }

    /// Returns whether the manifest may change from this phase to another: by one transition, or not at all.
    pub fn leads_to(self, next: Self) -> bool {
        self == next || Transition::ALL.iter().any(|it| it.ends() == (self, next))
    }

    /// Returns whether the cells count, and not the plaintext.
    pub fn cells_count(self) -> bool {
        self >= Self::Restoring
    }
}

/// A change of one table from a phase to a neighbouring one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Adds empty cells beside the plaintext.
    AddCells,
    /// Seals every row beside its plaintext, while programs write.
    Fill,
    /// Seals what was written since, and requires cells from then on.
    Require,
    /// Drops the plaintext, once every cell has opened to it.
    DropPlaintext,
    /// Adds empty plaintext columns beside the cells.
    AddPlaintext,
    /// Opens every cell beside itself; plaintext counts again.
    RestorePlaintext,
    /// Drops the plaintext of an unfinished way down.
    AbandonPlaintext,
    /// Admits rows without cells again.
    Release,
    /// Stops relying on every row having cells.
    Unfill,
    /// Drops the cells.
    DropCells,
}

impl Transition {
    /// Every transition: the way up, then the way down.
    pub const ALL: [Self; 10] = [
        Self::AddCells,
        Self::Fill,
        Self::Require,
        Self::DropPlaintext,
        Self::AddPlaintext,
        Self::RestorePlaintext,
        Self::AbandonPlaintext,
        Self::Release,
        Self::Unfill,
        Self::DropCells,
    ];

    /// Returns the phase before and the phase after.
    pub fn ends(self) -> (Phase, Phase) {
        match self {
            Self::AddCells => (Phase::Plain, Phase::Dual),
            Self::Fill => (Phase::Dual, Phase::Filled),
            Self::Require => (Phase::Filled, Phase::Required),
            Self::DropPlaintext => (Phase::Required, Phase::Sealed),
            Self::AddPlaintext => (Phase::Sealed, Phase::Restoring),
            Self::RestorePlaintext => (Phase::Restoring, Phase::Required),
            Self::AbandonPlaintext => (Phase::Restoring, Phase::Sealed),
            Self::Release => (Phase::Required, Phase::Filled),
            Self::Unfill => (Phase::Filled, Phase::Dual),
            Self::DropCells => (Phase::Dual, Phase::Plain),
        }
    }

    /// Returns the first transition on the way from one phase to another; `None` where they are the same.
    ///
    /// [`Phase::Restoring`] lies on the way down only, between sealed and required.
    pub fn first(now: Phase, to: Phase) -> Option<Self> {
        let up = to > now;
        match now {
            _ if now == to => None,
            Phase::Plain => Some(Self::AddCells),
            Phase::Dual if up => Some(Self::Fill),
            Phase::Dual => Some(Self::DropCells),
            Phase::Filled if up => Some(Self::Require),
            Phase::Filled => Some(Self::Unfill),
            Phase::Required if up => Some(Self::DropPlaintext),
            Phase::Required => Some(Self::Release),
            Phase::Restoring if up => Some(Self::AbandonPlaintext),
            Phase::Restoring => Some(Self::RestorePlaintext),
            Phase::Sealed => Some(Self::AddPlaintext),
        }
    }

    /// Returns the transitions that lead from one phase to another, in order.
    pub fn way(from: Phase, to: Phase) -> impl Iterator<Item = Self> {
        let mut now = from;
        std::iter::from_fn(move || {
            let transition = Self::first(now, to)?;
            (_, now) = transition.ends();
            Some(transition)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_is_reached_from_every_other_in_at_most_five_transitions() {
        for from in Phase::ALL {
            for to in Phase::ALL {
                let way: Vec<_> = Transition::way(from, to).take(8).collect();
                assert!(way.len() <= 5, "{from:?} to {to:?}: {way:?}");
                let mut now = from;
                for transition in way {
                    assert_eq!(transition.ends().0, now, "{from:?} to {to:?}");
                    now = transition.ends().1;
                }
                assert_eq!(now, to);
            }
        }
    }

    #[test]
    fn no_transition_ends_where_another_does() {
        for (place, one) in Transition::ALL.iter().enumerate() {
            assert!(Transition::ALL.iter().skip(place + 1).all(|it| it.ends() != one.ends()));
        }
    }
}
