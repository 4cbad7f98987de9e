//! What a run tells while it goes on.

/// A step began or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepEvent<'a> {
    /// It is about to run.
    Begun {
        /// Its place in the list.
        number: usize,
        /// Its name.
        name: &'a str,
        /// Up or down.
        up: bool,
    },
    /// It is in the history as finished.
    Finished {
        /// Its place in the list.
        number: usize,
        /// Its name.
        name: &'a str,
        /// Up or down.
        up: bool,
    },
    /// Another runner had applied it; from now on it has its row in the history.
    Adopted {
        /// Its place in the list.
        number: usize,
        /// Its name.
        name: &'a str,
    },
}
