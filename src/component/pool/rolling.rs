//! A pool of one component's login, which can be given another login while it is in use.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};

use super::rights::Expected;
use crate::db::Address;
use crate::policy::{Component, Limits};

/// A rotation must wait for longer than this: see [`SETTLE`](crate::component::rotate::SETTLE).
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a component's pool is opened with.
#[cfg_attr(
    not(all(feature = "sqlite", any(feature = "postgres", feature = "mysql"))),
    expect(dead_code, reason = "SQLite needs the component, and servers the rest")
)]
pub(super) struct PoolSettings<'a> {
    pub(super) address: &'a Address,
    pub(super) name: &'a str,
    pub(super) component: &'a Component,
    pub(super) expected: Expected,
    pub(super) limits: &'a Limits,
    pub(super) size: u32,
}

/// The pool, in its driver's own form, and what its sessions are held to.
#[async_trait]
pub(super) trait Rolling: Send + Sync {
    /// The pool as sea-orm knows it.
    fn database(&self) -> DatabaseConnection;

    /// Opens a session and has it looked at, so that a login that must not be used is refused now, with the reason.
    async fn probe(&self) -> Result<(), DbErr>;

    /// Holds new sessions to something else.
    fn expect(&self, expected: Expected);

    /// Drops each session that is open now when it is asked for: its server turned out to take no changes.
    fn drop_sessions(&self);

    /// Uses another login from now on. Sessions of the one before are dropped when they come back, or now if they idle;
    /// one that was on its way is refused when it arrives.
    async fn switch(&self, address: &Address, name: &str, expected: Expected) -> Result<(), DbErr>;
}
