//! The policies that migrations bring, and the work of bringing them.

use async_trait::async_trait;
use sea_orm_migration::{DbErr, SchemaManagerConnection};

use crate::NoKeys;

/// The compiled-in policies, in order: the n-th is version n. Never edited once released.
pub const POLICIES: [&str; 2] =
    [include_str!("../sql/policy/0001.toml"), include_str!("../sql/policy/0002.toml")];

/// What policy steps ask of whoever knows accounts and grants. Every call may be made again after a crash: it
/// looks at the server and does what is left. `db` is the step's transaction where one is open.
#[async_trait]
pub trait Grants: Send + Sync {
    /// Makes the server follow a policy, whatever state it is in.
    async fn bring(&self, db: &SchemaManagerConnection<'_>, version: u32) -> Result<(), DbErr>;
    /// Makes the server follow what was in force before that policy.
    async fn take_back(&self, db: &SchemaManagerConnection<'_>, version: u32) -> Result<(), DbErr>;
}

#[async_trait]
impl Grants for NoKeys {
    async fn bring(&self, _: &SchemaManagerConnection<'_>, _: u32) -> Result<(), DbErr> {
        Self::refuse()
    }

    async fn take_back(&self, _: &SchemaManagerConnection<'_>, _: u32) -> Result<(), DbErr> {
        Self::refuse()
    }
}
