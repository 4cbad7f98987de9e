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
    /// A missing precondition, with the statement that cures it if there is such a statement.
    pub fn new(what: impl Into<String>, cure: impl Into<Option<String>>) -> Self {
        Self { what: what.into(), cure: cure.into() }
    }
}
