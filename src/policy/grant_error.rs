//! Why a policy is not, or not wholly, in force.

use sea_orm::DbErr;

use super::drift::Drift;
use super::missing::Missing;
use crate::db::{LockError, Transient, is_transient};
use crate::key::{RingError, SourceError};

/// Why a policy is not, or not wholly, in force. The same command goes on where this one stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The policy itself.
    #[error(transparent)]
    Policy(Box<super::PolicyError>),
    /// The server cannot hold a component to columns.
    #[error("this server cannot hold programs to columns: {0}")]
    Unsupported(String),
    /// The server or the login lacks something: nothing was changed.
    #[error("{}: {}", not_ready(*with_policies), listed(missing))]
    NotReady {
        /// All of it.
        missing: Vec<Missing>,
        /// Whether it is policies that need it.
        with_policies: bool,
    },
    /// The server's rules do not let a password pass.
    #[error("the server's rules for passwords refuse the new one")]
    PasswordRefused,
    /// No policy was applied yet.
    #[error("no policy is in force in this database")]
    NoPolicy,
    /// A stored policy was not written by a holder of the root.
    #[error(
        "the stored policy {0} does not verify: it was changed by something that does not hold the root key"
    )]
    Forged(i64),
    /// A row of a login that this program cannot read.
    #[error("login `{component}/{slot}` is in state `{state}`, which this program does not know")]
    UnknownLogin {
        /// The component.
        component: String,
        /// Its slot.
        slot: String,
        /// The state.
        state: String,
    },
    /// No such component in the policy in force.
    #[error("the policy has no component `{0}`")]
    UnknownComponent(String),
    /// The accounts of this database have rights in another one of the server.
    #[error(
        "accounts {0}* have rights in another database of this server: two databases must not share them"
    )]
    SharedAccounts(String),
    /// The login that migrates may not do this.
    #[error("this login may not manage accounts and grants: {cause}; it was about to run: {sql}")]
    Forbidden {
        /// The statement, without its password.
        sql: String,
        /// What the server said.
        cause: String,
    },
    /// The server differs from the policy although everything was done.
    #[error("the server still differs from the policy in {} places, the first: {}", .0.len(), first(.0))]
    Left(Vec<Drift>),
    /// Something that the policy denies is possible.
    #[error("{component} could {verb} {column}, which the policy denies: {path}")]
    Denied {
        /// The component.
        component: String,
        /// The verb.
        verb: String,
        /// The column.
        column: String,
        /// By which grant.
        path: String,
    },
    /// A plan that was made for something else.
    #[error("the plan does not fit any more: {0}")]
    StalePlan(&'static str),
    /// A login that a pool must not use.
    #[error("the login of `{component}` is refused: {reason}")]
    Login {
        /// The component.
        component: String,
        /// Why.
        reason: String,
    },
    /// Sessions of a closed login do not end.
    #[error("login {login} is closed, and sessions of it do not end")]
    SessionsStay {
        /// The login.
        login: String,
    },
    /// The pools of all components together are larger than the server.
    #[error("the components' pools may open {wanted} sessions, and the server allows {allowed}")]
    TooManyConnections {
        /// Of all pools.
        wanted: u32,
        /// By the server.
        allowed: u32,
    },
    /// Keyed work was asked for, and no key source was given.
    #[error("this needs the key ring, and no key source was given")]
    NoRoot,
    /// A password file.
    #[error(transparent)]
    Password(#[from] SourceError),
    /// See [`RingError`].
    #[error(transparent)]
    Ring(#[from] RingError),
    /// See [`LockError`].
    #[error(transparent)]
    Lock(#[from] LockError),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<super::PolicyError> for GrantError {
    fn from(error: super::PolicyError) -> Self {
        Self::Policy(Box::new(error))
    }
}

impl Transient for GrantError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Ring(RingError::Database(error)) | Self::Database(error) => is_transient(error),
            Self::Lock(error) => error.is_transient(),
            _ => false,
        }
    }
}

fn not_ready(with_policies: bool) -> &'static str {
    if with_policies {
        "not ready for policies, and nothing was changed"
    } else {
        "this server is not accepted, and nothing was changed"
    }
}

fn listed(missing: &[Missing]) -> String {
    missing.iter().map(|missing| missing.what.as_str()).collect::<Vec<_>>().join("; ")
}

fn first(drift: &[Drift]) -> String {
    drift.first().map_or_else(String::new, |first| {
        format!("{} {} on {} for {}", first.kind, first.privilege, first.object, first.grantee)
    })
}
