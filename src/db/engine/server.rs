//! What PostgreSQL, MySQL and MariaDB have in common: a host, and a way to it.

use std::net::IpAddr;
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr, sqlx};

use super::conn;
use crate::db::error::is_missing_database;
use crate::db::tls::Mode;
use crate::db::{Address, Peer};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A pool goes on trying for as long as it waits for a free connection; somebody who typed a wrong
/// address wants to know at once.
pub(super) async fn in_time(probe: impl Future<Output = Result<(), sqlx::Error>>) -> Result<(), DbErr> {
    let answered = tokio::time::timeout(CONNECT_TIMEOUT, probe).await;
    answered.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(conn)
}

/// Whether the server has the database, by what connecting to it came to.
pub(super) async fn is_there(connected: Result<DatabaseConnection, DbErr>) -> Result<bool, DbErr> {
    match connected {
        Ok(db) => db.close().await.map(|()| true),
        Err(error) if is_missing_database(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Judged by the host that the driver will go to: parameters of the address can name another.
pub(super) fn mode(address: &Address, socket: bool, host: &str) -> Result<Option<Mode>, sqlx::Error> {
    let mode = address.tls().mode(peer(socket, host), address.asked());
    mode.map_err(|refused| sqlx::Error::Configuration(refused.into()))
}

pub(super) fn peer(socket: bool, host: &str) -> Peer {
    match socket || host.starts_with('/') {
        true => Peer::Socket,
        false if is_loopback(host) => Peer::Loopback,
        false => Peer::Remote,
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || without_brackets(host).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A URL's IPv6 address as certificates know it.
pub(super) fn without_brackets(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}
