//! The migration runner: schema steps forward and back, in one locked, resumable history.
//!
//! Promises: one run at a time; a step and its history row are one transaction, or, for steps that
//! commit pages of their own, the history says that the step has begun and the same command goes on;
//! nothing runs on a database that is newer, edited or somebody else's.
//!
//! Does not promise: a way back that needs no work. Going down opens every cell again.

#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the program adopts tables"))]
mod adoption;
mod checksum;
mod error;
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the program adopts tables"))]
mod examine;
pub mod host;
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the program adopts tables"))]
mod inspect;
mod make_ring;
mod mirror;
#[cfg(feature = "cli")]
mod programs;
mod ring;
mod runner;
mod sealing;
mod status;
mod steps;

#[cfg(feature = "cli")]
pub(crate) use adoption::{adopted, require_adoption, write_adoption};
pub use checksum::checksum;
pub use error::SchemaError;
#[cfg(feature = "cli")]
pub(crate) use examine::{Examined, examine};
pub use examine::{Unfit, Wish};
pub use host::{HostError, HostRunner, PlannedStep, StepEvent, is_recorded};
#[cfg(feature = "cli")]
pub(crate) use inspect::{column_dependents, dependents, foreign_triggers, not_owned};
#[cfg(feature = "cli")]
pub(crate) use programs::{ProgramTable, named as programs_named, programs_alone};
pub use ring::install_ring;
pub use runner::{Runner, Target, install, numbers};
pub use sealing::{Sealing, Unsealable};
#[cfg(feature = "cli")]
pub(crate) use sealing::{is_half_way, plan_sql};
#[cfg(feature = "cli")]
pub(crate) use status::is_ours;
pub use status::{State, Status, StepStatus, status};
pub use steps::KeyedSteps;
