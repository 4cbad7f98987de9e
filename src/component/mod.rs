//! Pools, logins and confinement of the components that a policy declares.
//!
//! A program that serves several components takes a pool for each from [`Components`]; one that runs migrations gives them
//! [`PolicySteps`]. Planning, predicting and rotating logins are for operators.
//!
//! Promises: a component's pool is refused when its login can do more than the policy says; whatever state a run was killed
//! in, the next one continues.
//!
//! Does not promise: anything against the server's administrators, or against a holder of the root key.

#[cfg(feature = "sqlite")]
mod confinement;
mod converge;
mod foresee;
pub(crate) mod login;
mod plan;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod pool;
pub(crate) mod rotate;
mod signature_replay;
mod step;

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub use pool::{Capacity, ComponentHandle, Components, OwnLogin, Refused};
pub use signature_replay::SignatureReplay;
pub use step::PolicySteps;

/// For the packages of this repository: see [`crate::internal`].
#[doc(hidden)]
pub mod internal {
    pub use super::converge::{Applied, converge};
    pub use super::foresee::foresee_take_back;
    pub use super::login::{LoginState, Logins};
    pub use super::plan::plan;
    #[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
    pub use super::pool::{Credentials, try_login};
    pub use super::rotate::{Pace, Rotated, Rotation, SETTLE, Stage};
}
