//! What a server lacks for policies.

/// Something that a way needs and does not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What is not as it must be.
    pub what: String,
    /// The statement that an administrator of the server cures it with.
    pub cure: Option<String>,
}

impl Missing {
    /// What is missing, and its cure where a statement is one.
    pub fn new(what: impl Into<String>, cure: impl Into<Option<String>>) -> Self {
        Self { what: what.into(), cure: cure.into() }
    }
}
