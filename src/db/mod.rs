//! Connecting, the run lock, transactions, and what a database's error means.

mod access;
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "only to servers there is a way")
)]
mod address;
mod cause;
mod cluster;
mod connect;
mod dialect;
mod engine;
mod error;
mod feature;
pub mod history;
mod holder;
mod lock;
mod not_primary;
mod own_pool;
mod packet;
mod passing;
mod patience;
#[cfg(all(feature = "postgres", feature = "mysql"))]
mod reach; // for operators, whose program speaks to both servers
#[cfg(all(feature = "postgres", feature = "mysql"))]
mod said;
mod server;
mod statement;
mod support;
mod table;
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "only to servers there is a way")
)]
mod tls;
mod tls_failure;
mod transaction;
mod unfit;

pub use access::{Access, Way};
pub use address::{Address, AddressError};
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) use cause::conn;
pub use connect::{connect, create_if_missing, sqlite_file, way};
pub(crate) use dialect::{ByDialect, Dialect};
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) use engine::hosts::{Hosts, Options, Server};
#[cfg(feature = "mysql")]
pub(crate) use engine::mysql::component_options as mysql_options;
#[cfg(feature = "mysql")]
pub(crate) use engine::mysql_session::prepare_component as prepare_mysql;
#[cfg(feature = "postgres")]
pub(crate) use engine::postgres::component_options as postgres_options;
#[cfg(feature = "postgres")]
pub(crate) use engine::postgres_session::prepare_component as prepare_postgres;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) use engine::since::Since;
#[cfg(feature = "sqlite")]
pub(crate) use engine::sqlite::component_options as sqlite_options;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) use error::configuration;
pub(crate) use error::{
    HOLDS, KEY_IS_GONE, is_conflict, is_forbidden, is_password_refused, is_writeset_too_large,
};
pub use error::{
    insecure_address, is_constraint_violation, is_held, is_missing_database, is_not_primary,
    is_refused, is_sealed_under_gone_key, is_too_slow, is_transient, is_unreachable,
};
pub(crate) use feature::not_built;
pub use holder::this_host_and_process;
pub(crate) use lock::clock_ms;
pub use lock::{Holder, Lock, LockError, holder as lock_holder, take_away as take_lock_away};
pub(crate) use not_primary::NotPrimary;
pub use own_pool::with_sessions;
pub(crate) use packet::{LEAST_PACKET, Packet, packet, rows_a_statement};
pub(crate) use passing::{unwrapped, wrapped};
pub(crate) use server::clock_lead_ms as server_clock_lead_ms;
pub(crate) use statement::statement;
pub(crate) use support::{Support, server_version, support};
pub(crate) use table::{has_column, has_table};
pub use tls::{InsecureAddress, Peer, Tls, TlsError};
pub use tls_failure::{TlsFailure, tls_failure};
pub(crate) use transaction::retry;
pub use transaction::{Patience, Transient, begin};
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) use unfit::UnfitDatabase;

/// For the packages of this repository: see [`crate::internal`].
#[doc(hidden)]
pub mod internal {
    pub use super::dialect::{ByDialect, Dialect};
    pub use super::error::configuration;
    pub use super::lock::{abandoned_by as lock_abandoned_by, clock_ms};
    pub use super::passing::unwrapped;
    pub use super::statement::statement;
    pub use super::support::{Support, server_version, support, tested as tested_versions};
    pub use super::table::{has_column, has_table};
    pub use super::unfit::UnfitDatabase;
    #[cfg(all(feature = "postgres", feature = "mysql"))]
    pub use super::{
        reach::{Unserved, unserved},
        said::said_by_server,
    };
    pub use crate::__retry as retry;

    pub mod server {
        pub use crate::db::cluster::{Cluster, cluster, without_primary_key};
        pub use crate::db::server::{
            changes_every_role, clock_lead_ms, encryption, is_read_only, is_strict_by_default,
            lost_definers, max_allowed_packet,
        };
    }
}

pub use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr};
