//! The migration runner: schema steps forward and back, in one locked, resumable history.
//!
//! Promises: one run at a time; a step and its history row are one transaction, or, for steps that
//! commit pages of their own, the history says that the step has begun and the same command goes on;
//! nothing runs on a database that is newer, edited or somebody else's.
//!
//! Does not promise: a way back that needs no work. Going down opens every cell again.

mod adoptable;
mod adoption;
mod checksum;
mod error;
pub mod host;
mod inspect;
mod make_ring;
mod mirror;
mod programs;
mod ring;
mod runner;
mod sealing;
mod status;
mod steps;

pub use adoptable::{AdoptionOptions, Unfit};
pub use checksum::checksum;
pub use error::SchemaError;
pub use host::{HostError, HostRunner, PlannedStep, StepEvent, is_recorded};
pub use ring::install_ring;
pub use runner::{Runner, Target, install, numbers};
#[cfg(feature = "sqlite")]
pub(crate) use sealing::GUARDS_THAT_READ;
pub use sealing::{Sealing, Unsealable};
pub use status::{State, Status, StepStatus, status};
pub use steps::KeyedSteps;

/// For the packages of this repository: see [`crate::internal`].
#[doc(hidden)]
pub mod internal {
    pub use super::adoptable::{Adoptable, inspect_adoptable};
    pub use super::adoption::{adopted, require_adoption, write_adoption};
    pub use super::inspect::{column_dependents, dependents, fits, foreign_triggers, not_owned};
    pub use super::programs::{ProgramTable, named as programs_named, programs_alone};
    pub use super::sealing::{holds_writers, is_half_way, missing_guards, plan_sql};
    pub use super::status::is_ours;
}
