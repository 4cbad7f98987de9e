//! Strongroom keeps the access and secret keys in a control plane's database sealed.
//!
//! Rooms, from the ground up; imports only go down (`tests/it/floors.rs` sees to it):
//!
//! - [`crypto`]: sealing, wrapping, blind indexes. Pure.
//! - [`key`]: the key ring and key sources. [`db`]: connecting, the run lock, history.
//! - [`reseal`]: the engine that rewrites cells. [`schema`]: the migration runner.
//!   [`credential`]: the built-in store, and import. [`policy`]: what components may do, and their logins.
//!   [`audit`]: what was handed out, and to whom.
//! - [`api`]: the HTTPS service, behind the feature `serve`.
//! - `cli` and `config`: the program, behind the feature `cli`.
//!
//! A library names the engines that it speaks to, by the features `postgres`, `mysql` and `sqlite`; `serve` and `cli`
//! bring all three. An address of any other engine is refused, with the feature that it takes.

#[cfg(feature = "serve")]
pub mod api;
pub mod audit;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod config;
pub mod credential;
pub mod crypto;
pub mod db;
pub mod key;
pub mod policy;
pub mod record;
pub mod reseal;
pub mod schema;

pub use strongroom_entity as entity;
pub use strongroom_migration as migration;

/// What a program with sealed columns of its own names again and again.
pub mod prelude {
    pub use crate::entity::{BlindIndex, Sealed, SealedEntity, SealedModel};
    pub use crate::record::{Draft, Drafting, Keyed, RecordError, Strongroom, Transaction};
}
