//! What each component may do, and the database logins that hold it to that.
//!
//! A policy is read ([`Source`]), resolved against the tables that are there ([`resolve`]), and made into the [`State`]
//! that a server should be in ([`wanted`]). The server is [inspected](inspect), the [`diff`] rendered as
//! [statements](Statement) and [applied](converge), and then the server is looked at again.
//!
//! Promises: a component's login can do what the policy says and nothing else, or applying it failed; whatever state a
//! run was killed in, the next one goes on.
//!
//! Does not promise: anything against the server's administrators, or against who holds the root key.

mod apply;
mod builtin;
mod component_name;
mod diff;
mod drift;
mod error;
mod grant_error;
mod inspect;
pub mod login;
mod model;
mod names;
mod plan;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod pool;
mod resolve;
pub mod rotate;
pub mod sessions;
mod site;
mod source;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod statement;
mod step;
pub mod stored;
mod suggest;
mod support;
mod wanted;

pub use apply::{Applied, converge};
pub use builtin::{NEWEST, builtin};
pub use component_name::is_component_name;
pub use drift::Drift;
pub use error::{Place, PolicyError};
pub use grant_error::GrantError;
pub use inspect::{Inspected, catalog, exists, inspect, target};
pub use model::{Catalog, Component, Denial, Limits, Policy, TableRights, Verb};
pub use names::{Names, Slot};
pub use plan::{Plan, plan};
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub use pool::{Capacity, ComponentHandle, Components, OwnLogin, Refused, try_login};
pub use resolve::resolve;
pub use site::{Site, Wishes};
pub use source::Source;
pub use state::{Change, Grant, Kind, Object, State};
pub use statement::{Statement, Verifiers, statements};
pub use step::{PolicySteps, uncarry};
pub use wanted::{Target, wanted};
