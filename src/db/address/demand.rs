//! Which server of an address is wanted: `target_session_attrs`, in the words of PostgreSQL's own client.

/// The parameter.
pub(super) const NAME: &str = "target_session_attrs";

/// What a session must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::db) enum Demand {
    /// Any server that answers.
    Any,
    /// One that takes changes.
    Writable,
    /// One that is no standby.
    Primary,
    /// One that takes no changes.
    ReadOnly,
    /// A standby.
    Standby,
    /// A standby, or else any server.
    PreferStandby,
}

impl Demand {
    /// Reads the parameter's value.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "any" => Self::Any,
            "read-write" => Self::Writable,
            "primary" => Self::Primary,
            "read-only" => Self::ReadOnly,
            "standby" => Self::Standby,
            "prefer-standby" => Self::PreferStandby,
            _ => return None,
        })
    }

    /// Whether a server in this state is one that is wanted.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        expect(dead_code, reason = "only servers have a state")
    )]
    pub(in crate::db) fn accepts(self, is_standby: bool, is_read_only: bool) -> bool {
        match self {
            Self::Any | Self::PreferStandby => true,
            Self::Writable => !is_standby && !is_read_only,
            Self::Primary => !is_standby,
            Self::ReadOnly => is_standby || is_read_only,
            Self::Standby => is_standby,
        }
    }
}
