//! A server that takes no changes, where one was wanted that does.

/// The server is not the one that the address asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotPrimary(String);

#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "only servers have a role")
)]
impl NotPrimary {
    pub(super) fn new(is_apart: bool, is_standby: bool, is_read_only: bool) -> Self {
        let said = match (is_apart, is_standby, is_read_only) {
            (true, ..) => "the node is apart from its cluster, or not ready",
            (_, true, _) => "the server is a standby",
            (.., true) => "the server is read-only",
            _ => "the server takes changes, and the address asks for one that does not",
        };
        Self(said.to_owned())
    }

    /// No host of a list is the wanted one.
    pub(super) fn of_list(told: &[String]) -> Self {
        Self(format!("no host of the database's address is the wanted one: {}", told.join("; ")))
    }
}
