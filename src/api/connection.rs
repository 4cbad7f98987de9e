//! One connection: its handshake, its requests, and its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::{Service as _, ServiceExt as _};

use super::identity::Identities;
use super::peer::Peer;
use super::service::Service;
use super::settings::Limits;
use super::tls::Reloading;

/// No party has more than one part in so many of all connections.
const PARTIES: usize = 4;

/// What connections share.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) service: Arc<Service>,
    pub(super) router: Router,
    pub(super) tls: Option<(Arc<Reloading>, Arc<Identities>)>,
    /// Over plain HTTP: who every caller is.
    pub(super) plain: Option<String>,
    /// How many connections each party has open.
    pub(super) parties: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
    /// Turns true when connections are to end.
    pub(super) closing: watch::Receiver<bool>,
}

impl Connections {
    /// Serves a connection until it ends. Nothing that a client does comes back as an error.
    pub(super) async fn serve(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let Some((tls, identities)) = self.tls.clone() else {
            let peer = self.plain.as_deref().map_or_else(Peer::nobody, Peer::plain);
            return self.converse(stream, peer, false).await;
        };
        let material = tls.current();
        let acceptor = TlsAcceptor::from(material.server_config.clone());
        let stream = match tokio::time::timeout(self.service.settings.limits.handshake, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return self.no_handshake(&error),
            Err(elapsed) => return self.no_handshake(&elapsed),
        };
        let session = stream.get_ref().1;
        let http2 = session.alpn_protocol() == Some(b"h2");
        let peer = match session.peer_certificates() {
            Some(chain) => {
                let chain = chain.iter().map(|part| part.clone().into_owned()).collect();
                Peer::certified(chain, &identities, tls, material.generation)
            }
            None => Peer::nobody(),
        };
        let Some(_place) = self.place(&peer) else { return };
        self.converse(stream, peer, http2).await;
    }

    fn no_handshake(&self, error: &dyn std::fmt::Display) {
        self.service.metrics.handshakes_failed.inc();
        tracing::info!(%error, "a TLS handshake came to nothing");
    }

    /// The part of all connections that one party may have open: a component, or everybody whom no policy knows.
    fn place(&self, peer: &Peer) -> Option<OwnedSemaphorePermit> {
        let policy = self.service.components.policy();
        let party = peer.component().filter(|name| policy.components.contains_key(*name)).unwrap_or_default();
        let mut parties = self.parties.lock().unwrap_or_else(PoisonError::into_inner);
        let room = parties.entry(party.to_owned()).or_insert_with(|| {
            let part = self.service.settings.limits.connections / PARTIES;
            Arc::new(Semaphore::new(part.max(1)))
        });
        let place = room.clone().try_acquire_owned().ok();
        if place.is_none() {
            tracing::warn!(component = party, "has its part of all connections open; one more was closed");
        }
        place
    }

    async fn converse(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer, http2: bool) {
        let (router, service) = (self.router.clone(), self.service.clone());
        let answer = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let (mut router, service) = (router.clone(), service.clone());
            let http1 = request.version() <= Version::HTTP_11;
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            async move {
                let mut response = router.as_service::<Body>().ready().await?.call(request).await?;
                // A client that is told beforehand sends nothing into a connection that is being closed.
                if http1 && service.readiness.is_leaving() {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let limits = self.service.settings.limits;
        let io = TokioIo::new(stream);
        if http2 {
            let conversation = second(&limits).serve_connection(io, answer);
            let told = until_told(self.closing, &limits);
            run(conversation, told, &limits, http2::Connection::graceful_shutdown).await;
        } else {
            let conversation = first(&limits).serve_connection(io, answer);
            let told = until_told(self.closing, &limits);
            run(conversation, told, &limits, http1::Connection::graceful_shutdown).await;
        }
    }
}

fn first(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.headers).max_headers(limits.header_count).max_buf_size(64 << 10);
    builder
}

fn second(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_interval(limits.headers).keep_alive_timeout(limits.headers);
    builder.max_concurrent_streams(64).max_header_list_size(16 << 10).max_pending_accept_reset_streams(32);
    builder
}

/// Until the service stops, or the connection is old enough.
async fn until_told(mut closing: watch::Receiver<bool>, limits: &Limits) {
    tokio::select! {
        _ = closing.wait_for(|closing| *closing) => {}
        () = tokio::time::sleep(limits.connection_age) => {}
    }
}

/// Runs a conversation; when told, lets it finish what it is at, for so long.
async fn run<C, E>(conversation: C, told: impl Future<Output = ()>, limits: &Limits, end: impl FnOnce(std::pin::Pin<&mut C>))
where
    C: Future<Output = Result<(), E>>,
    E: std::fmt::Display,
{
    let mut conversation = std::pin::pin!(conversation);
    let done = tokio::select! {
        done = conversation.as_mut() => done,
        () = told => {
            end(conversation.as_mut());
            match tokio::time::timeout(limits.shutdown, conversation).await {
                Ok(done) => done,
                Err(_) => return tracing::info!("a connection was cut: its request did not end"),
            }
        }
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a connection ended");
    }
}
