//! Listening, and stopping without a failed request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::select_all;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use super::chain_end;
use super::connection::Connections;
use super::route_set::RouteSet;
use super::service::Service;
use super::settings::Way;
use super::tls::{Reloading, TlsError};

/// What the world may tell a running service.
#[derive(Clone, Default)]
pub struct Signals {
    /// To stop.
    pub stop: Arc<Notify>,
    /// To read its certificate and the clients' authority again, now.
    pub reload: Arc<Notify>,
}

/// Why it does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or not this host's.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// See [`TlsError`].
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A service that listens.
pub struct Server {
    service: Arc<Service>,
    routes: Arc<RouteSet>,
    listeners: Vec<TcpListener>,
    tls: Option<Arc<Reloading>>,
}

/// How often certificates are looked at.
const WATCH: Duration = Duration::from_secs(5);
/// How often packages do their work of every minute.
const MINUTE: Duration = Duration::from_mins(1);
/// After an error of the listening socket itself: too many open files, for the most part.
const BREATH: Duration = Duration::from_millis(100);

impl Server {
    /// Reads the certificates, and takes the address or the sockets that were opened for the service.
    pub async fn bind(
        service: Arc<Service>,
        routes: RouteSet,
        opened: Vec<std::net::TcpListener>,
    ) -> Result<Self, ServerError> {
        let tls = match &service.settings.way {
            Way::Tls { files, .. } => Some(Arc::new(Reloading::load(files.clone())?)),
            Way::Plain(_) => None,
        };
        let listen = service.settings.listen;
        let taken = if opened.is_empty() {
            TcpListener::bind(listen).await.map(|listener| vec![listener])
        } else {
            opened.into_iter().map(from_std).collect()
        };
        let listeners = taken.map_err(|error| ServerError::Listen(listen, error))?;
        Ok(Self { service, routes: Arc::new(routes), listeners, tls })
    }

    /// Where it listens first, with the port that it was given.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listeners.first().ok_or(io::ErrorKind::NotFound)?.local_addr()
    }

    /// Answers until it is told to stop: then it says that it is not ready, goes on for the time of the drain, takes no new
    /// connections, and lets requests end.
    pub async fn run(self, signals: Signals) {
        let Self { service, routes, listeners, tls } = self;
        let (close, closing) = watch::channel(false);
        let router = routes.router(&service);
        let (known, plain) = match &service.settings.way {
            Way::Tls { identities, .. } => {
                (tls.clone().map(|tls| (tls, Arc::new(identities.clone()))), None)
            }
            Way::Plain(component) => (None, component.clone()),
        };
        let connections = Connections {
            service: service.clone(),
            router,
            tls: known,
            plain,
            parties: Arc::default(),
            closing,
        };
        let chores = [
            tokio::spawn(chores(service.clone(), routes)),
            tokio::spawn(service.clone().keep_looking()),
            tokio::spawn(chain_end::keep_logging(service.clone())),
        ];
        let watching = tls.map(|tls| {
            tokio::spawn(watch_certificates(service.clone(), tls, signals.reload.clone()))
        });
        let mut open = JoinSet::new();
        tokio::select! {
            () = accept(&listeners, &connections, &mut open) => {}
            () = leave(&service, &signals) => {}
        }
        drop(listeners);
        let _ = close.send(true);
        while open.try_join_next().is_some() {}
        tracing::info!(connections = open.len(), "taking no more connections");
        let ending = async {
            while open.join_next().await.is_some() {}
            service.finished().await;
        };
        tokio::select! {
            ended = tokio::time::timeout(service.settings.limits.shutdown, ending) => if ended.is_err() {
                tracing::error!("requests were cut short: a change may lack its audit row");
            },
            () = signals.stop.notified() => tracing::error!("told again: requests are cut short, and a change may lack its audit row"),
        }
        for chore in chores {
            chore.abort();
        }
        watching.inspect(tokio::task::JoinHandle::abort);
    }
}

/// Told to stop, it is not ready any more and serves on, so that load balancers notice before a connection is refused.
async fn leave(service: &Service, signals: &Signals) {
    signals.stop.notified().await;
    service.readiness.leave();
    let drain = service.settings.drain;
    tracing::info!(seconds = drain.as_secs_f32(), "stopping; not ready from now on");
    tokio::select! {
        () = tokio::time::sleep(drain) => {}
        () = signals.stop.notified() => {}
    }
}

fn from_std(opened: std::net::TcpListener) -> io::Result<TcpListener> {
    opened.set_nonblocking(true)?;
    TcpListener::from_std(opened)
}

async fn accept(listeners: &[TcpListener], connections: &Connections, open: &mut JoinSet<()>) {
    let room = Arc::new(Semaphore::new(connections.service.settings.limits.connections));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let (accepted, _, _) =
            select_all(listeners.iter().map(|listener| Box::pin(listener.accept()))).await;
        match accepted {
            Ok((stream, from)) => {
                let connections = connections.clone();
                open.spawn(async move {
                    let gauge = connections.service.metrics.connections.clone();
                    gauge.inc();
                    connections.serve(stream, from).await;
                    gauge.dec();
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
}

async fn chores(service: Arc<Service>, routes: Arc<RouteSet>) {
    loop {
        tokio::time::sleep(MINUTE).await;
        routes.every_minute(&service).await;
    }
}

async fn watch_certificates(service: Arc<Service>, tls: Arc<Reloading>, reload: Arc<Notify>) {
    let show = async {
        loop {
            #[expect(clippy::cast_precision_loss, reason = "a time in seconds")]
            service.metrics.certificate_expires.set(tls.current().not_after as f64);
            tokio::time::sleep(WATCH).await;
        }
    };
    tokio::select! {
        () = tls.clone().watch(WATCH, reload) => {}
        () = show => {}
    }
}
