//! The migration runner: schema steps forward and back, in one locked, resumable history.
//!
//! Promises: one run at a time; a step and its history row are one transaction, or, for steps that
//! commit pages of their own, the history says that the step has begun and the same command goes on;
//! nothing runs on a database that is newer, edited or somebody else's.
//!
//! Does not promise: a way back that needs no work. Going down opens every cell again.

mod adoption;
mod checksum;
mod error;
mod examine;
pub mod host;
mod mirror;
mod ring;
mod runner;
mod sealing;
mod status;

pub use adoption::{adopted, write_adoption};
pub use checksum::checksum;
pub use error::SchemaError;
pub use examine::{Examined, Unfit, Wish, examine};
pub use host::{HostError, HostRunner, PlannedStep, StepEvent, is_recorded};
pub use ring::install_ring;
pub use runner::{Runner, Target, install, numbers};
pub use sealing::{Sealing, Unsealable};
pub use status::{State, Status, StepStatus, is_ours, status};
