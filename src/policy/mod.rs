//! The language of policies and the planner: what each component may do, and the way to a server that enforces it.
//!
//! Within: a policy file is read (`source`), resolved against the tables of the database (`resolve`), and turned into the
//! state that a server should be in (`wanted`). The server is inspected (`inspect`), the `diff` is rendered as statements
//! (`statement`); these are run and the result is verified (`apply`).
//!
//! Promises: a component's login can do what the policy says and nothing else, or applying it fails.
//!
//! Does not promise: anything against the server's administrators, or against a holder of the root key.

pub(crate) mod apply;
mod builtin;
mod component_name;
pub(crate) mod cure;
mod diff;
pub(crate) mod drift;
mod entry;
mod error;
mod grant_error;
pub(crate) mod granted;
pub(crate) mod inspect;
mod key;
mod missing;
mod model;
pub(crate) mod names;
pub(crate) mod nodes;
pub(crate) mod plan;
pub(crate) mod reach;
mod ready;
pub(crate) mod refusal;
mod resolve;
pub(crate) mod sessions;
mod site;
mod source;
pub(crate) mod state;
pub(crate) mod statement;
pub(crate) mod stored;
mod suggest;
mod support;
pub(crate) mod wanted;

pub use component_name::is_component_name;
pub use entry::{Entry, Name, Table};
pub use error::{Place, PolicyError};
pub use grant_error::GrantError;
pub use key::{ComponentKey, ComponentKeys, UnreadableKey};
pub use model::{
    Catalog, Component, Denial, KeyDenial, KeyValues, Limits, Policy, TableRights, Verb,
};
pub use names::Names;
pub use nodes::NodeAddresses;
pub use site::PolicyOptions;

pub(crate) use plan::Plan;
pub(crate) use site::Site;

/// For the packages of this repository: see [`crate::internal`].
#[doc(hidden)]
pub mod internal {
    pub use super::builtin::builtin_components;
    pub use super::drift::Drift;
    pub use super::inspect::server_id;
    pub use super::missing::Missing;
    pub use super::nodes::clock_leads_ms;
    pub use super::plan::Plan;
    pub use super::ready::{Needs, may_make_triggers, may_see_triggers, require_ready};
    pub use super::site::Site;
    pub use super::state::{Object, State};

    pub mod stored {
        pub use crate::policy::stored::{Source, body, in_force, newest, write};
    }
}
