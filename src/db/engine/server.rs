//! What PostgreSQL, MySQL and MariaDB have in common: a host, and a way to it.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::{DatabaseConnection, DbBackend, DbErr, sqlx};
use tokio::time::timeout;

use super::hosts::{Hosts, Options, Server};
use super::peer as service_at;
use crate::db::cause::conn;
use crate::db::error::{configuration, is_missing_database, is_not_primary};
use crate::db::tls::Mode;
use crate::db::{Address, NotPrimary, Peer, Way};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For each host of several.
const LIST_TIMEOUT: Duration = Duration::from_secs(4);
/// A server answers sooner, or there is something to say about who is there.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// Where a driver connects to.
pub(super) struct End {
    pub(super) engine: DbBackend,
    /// None for a Unix socket.
    pub(super) place: Option<(String, u16)>,
}

/// Opens a session once, in time. A pool tries again for as long as it waits for a free connection; somebody who typed
/// a wrong address wants to know at once.
pub(super) async fn in_time(
    end: End,
    limit: Duration,
    probe: impl Future<Output = Result<(), sqlx::Error>>,
) -> Result<(), DbErr> {
    let mut probe = pin!(probe);
    let first = timeout(FIRST_LOOK, &mut probe).await;
    if matches!(first, Ok(Ok(()))) {
        return Ok(());
    }
    if first.as_ref().is_err()
        || first.as_ref().is_ok_and(|done| done.as_ref().is_err_and(is_unexpected))
    {
        end.refuse_other_service().await?;
    }
    let answered = if let Ok(done) = first {
        Ok(done)
    } else {
        tracing::warn!("waiting: {} has not answered yet", end.shown());
        timeout(limit.saturating_sub(FIRST_LOOK), probe).await
    };
    answered.unwrap_or_else(|_| Err(no_answer(&end, limit))).map_err(conn)
}

/// Finds the first host whose session is the wanted one, and remembers it.
pub(super) async fn first<D: Server, F>(
    hosts: &Hosts<D>,
    probe: impl Fn(Options<D>, Duration) -> F,
) -> Result<(), DbErr>
where
    Options<D>: sqlx::ConnectOptions<Connection = D::Connection>,
    F: Future<Output = Result<(), DbErr>>,
{
    let limit = if hosts.is_list() { LIST_TIMEOUT } else { CONNECT_TIMEOUT };
    let mut failed: Vec<(usize, DbErr)> = Vec::new();
    for (place, options) in hosts.in_turn() {
        match probe(options, limit).await {
            Ok(()) => {
                hosts.found(place);
                return Ok(());
            }
            Err(error) => {
                tracing::debug!(host = place + 1, %error, "a host of the database's address");
                failed.push((place, error));
            }
        }
    }
    Err(of_all(failed))
}

/// Of several hosts, one that is there and not the wanted one says most.
fn of_all(mut failed: Vec<(usize, DbErr)>) -> DbErr {
    failed.sort_by_key(|(place, _)| *place);
    if failed.len() > 1 && failed.iter().any(|(_, error)| is_not_primary(error)) {
        let told: Vec<_> = failed
            .iter()
            .map(|(place, error)| format!("host {}: {}", place + 1, in_words(error)))
            .collect();
        return conn(sqlx::Error::Configuration(NotPrimary::of_list(&told).into()));
    }
    let none = || DbErr::Custom("the database's address has no host".into());
    failed.into_iter().next().map_or_else(none, |(_, error)| error)
}

fn in_words(error: &DbErr) -> String {
    configuration::<NotPrimary>(error).map_or_else(|| error.to_string(), NotPrimary::to_string)
}

/// Looks at each session of a pool before it is used.
pub(super) fn checked<D: Server>(pool: PoolOptions<D>, hosts: Arc<Hosts<D>>) -> PoolOptions<D>
where
    Options<D>: sqlx::ConnectOptions<Connection = D::Connection>,
{
    pool.test_before_acquire(false).before_acquire(move |session, about| {
        let hosts = hosts.clone();
        Box::pin(async move { Ok(hosts.keeps(session, &about).await) })
    })
}

/// Ties `alive` to the handles of a pool: it is dropped with the last of them.
pub(super) fn holding(mut db: DatabaseConnection, alive: Arc<()>) -> DatabaseConnection {
    db.set_metric_callback(move |_| {
        let _ = &alive;
    });
    db
}

/// The way of a list is as good as its worst host's.
pub(super) fn way_of(mut ways: impl Iterator<Item = Way>) -> Option<Way> {
    let first = ways.next()?;
    Some(ways.fold(first, |one, other| Way {
        peer: if other.peer == Peer::Remote { other.peer } else { one.peer },
        is_verified: one.is_verified && other.is_verified,
    }))
}

impl End {
    /// Refuses a service that greets in another protocol than PostgreSQL's.
    #[cfg(feature = "postgres")]
    pub(super) async fn refuse_greeting(&self) -> Result<(), DbErr> {
        let Some((host, port)) = &self.place else { return Ok(()) };
        let other = service_at::greeting_service(host, *port).await;
        other.map_or(Ok(()), |other| Err(conn(sqlx::Error::Configuration(other.into()))))
    }

    async fn refuse_other_service(&self) -> Result<(), DbErr> {
        let Some((host, port)) = &self.place else { return Ok(()) };
        let other = service_at::other_service(self.engine, host, *port).await;
        other.map_or(Ok(()), |other| Err(conn(sqlx::Error::Configuration(other.into()))))
    }

    fn shown(&self) -> String {
        self.place.as_ref().map_or_else(
            || "the server at the Unix socket".into(),
            |(host, port)| format!("{host}:{port}"),
        )
    }
}

/// What a server of another protocol makes of our driver.
fn is_unexpected(error: &sqlx::Error) -> bool {
    let is_end = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
    };
    match error {
        sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => is_end(error),
        _ => false,
    }
}

fn no_answer(end: &End, limit: Duration) -> sqlx::Error {
    let said = format!("{} did not answer within {} s", end.shown(), limit.as_secs());
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, said))
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
pub(super) fn mode(
    address: &Address,
    socket: bool,
    host: &str,
) -> Result<Option<Mode>, sqlx::Error> {
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
    host.eq_ignore_ascii_case("localhost")
        || without_brackets(host).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A URL's IPv6 address as certificates know it.
pub(super) fn without_brackets(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}
