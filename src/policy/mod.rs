//! What each component may do, and the database logins that hold it to that.
//!
//! A program that serves others takes a pool for each of them from [`Components`]; one that runs migrations gives them
//! [`PolicySteps`]. Making policies, planning, drift and other logins are for operators, and the program's.
//!
//! Within: a policy is read (`source`), resolved against the tables that are there (`resolve`), and made into the state that
//! a server should be in (`wanted`). The server is looked at (`inspect`), the `diff` rendered as statements (`statement`) and
//! applied (`apply`), and then the server is looked at again.
//!
//! Promises: a component's login can do what the policy says and nothing else, or applying it failed; whatever state a
//! run was killed in, the next one goes on.
//!
//! Does not promise: anything against the server's administrators, or against who holds the root key.

#![cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "plans, drift and rolling logins are the program's alone")
)]

mod apply;
mod builtin;
mod component_name;
mod cure;
mod diff;
mod drift;
mod error;
mod foresee;
mod grant_error;
mod granted;
mod inspect;
pub(crate) mod login;
mod model;
mod names;
mod plan;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod pool;
mod reach;
mod ready;
mod resolve;
pub(crate) mod rotate;
pub(crate) mod sessions;
mod site;
mod source;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod statement;
mod step;
pub(crate) mod stored;
mod suggest;
mod support;
mod wanted;

pub use component_name::is_component_name;
pub use error::{Place, PolicyError};
pub use grant_error::GrantError;
pub use model::{Component, Denial, Limits, Policy, SignatureReplay, TableRights, Verb};
pub use names::Names;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub use pool::{Capacity, ComponentHandle, Components, OwnLogin, Refused};
pub use site::Wishes;
pub use step::PolicySteps;

#[cfg(all(feature = "cli", feature = "serve"))]
pub(crate) use builtin::builtin_components;
// What operators do: the program's alone.
#[cfg(feature = "cli")]
pub(crate) use {
    apply::{Applied, converge},
    drift::Drift,
    foresee::foresee_take_back,
    plan::{Plan, plan},
    pool::try_login,
    ready::{Missing, Needs, may_make_triggers, require_ready},
    site::Site,
    state::{Object, State},
};
