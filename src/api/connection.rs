//! One connection: its handshake, its requests, and its end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::{Service as _, ServiceExt as _};

use super::exchange::{Answering, Exchange, Patience, Progress};
use super::identity::Identities;
use super::peer::Peer;
use super::service::Service;
use super::settings::Limits;
use super::tls::Reloading;
use super::well_formed::without_last_slash;
use super::{handshake, unparsed};

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
    pub(super) async fn serve(self, stream: TcpStream, from: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let Some((tls, identities)) = self.tls.clone() else {
            let peer = self.plain.as_deref().map_or_else(Peer::nobody, Peer::plain);
            return self.converse(stream, peer, from, false).await;
        };
        let material = tls.current();
        let acceptor = TlsAcceptor::from(material.server_config.clone());
        let stream =
            match handshake::accept(acceptor, stream, self.service.settings.limits.handshake).await
            {
                Ok(stream) => stream,
                Err(reason) => return self.no_handshake(&reason, from),
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
        if let Some((code, reason)) = peer.is_unnamed() {
            self.line(from, |left_out| tracing::warn!(%from, code, reason, left_out, "a client certificate names no component"));
        }
        let Some(_place) = self.place(&peer, from) else { return handshake::give_up(stream).await };
        self.converse(stream, peer, from, http2).await;
    }

    fn no_handshake(&self, reason: &str, from: SocketAddr) {
        self.service.metrics.handshakes_failed.inc();
        self.line(
            from,
            |left_out| tracing::info!(%from, reason, left_out, "a TLS handshake failed"),
        );
    }

    /// Writes a log line about a connection unless the budget is used up. Passes the number of omitted lines.
    fn line(&self, from: SocketAddr, write: impl FnOnce(u64)) {
        if let Some(left_out) = self.service.connection_lines.take(from.ip()) {
            write(left_out);
        }
    }

    /// The part of all connections that one party may have open: a component, or everybody whom no policy knows.
    fn place(&self, peer: &Peer, from: SocketAddr) -> Option<OwnedSemaphorePermit> {
        let policy = self.service.components.policy();
        let party = peer
            .component()
            .filter(|name| policy.components.contains_key(*name))
            .unwrap_or_default();
        let mut parties = self.parties.lock().unwrap_or_else(PoisonError::into_inner);
        let room = parties.entry(party.to_owned()).or_insert_with(|| {
            let part = self.service.settings.limits.connections / PARTIES;
            Arc::new(Semaphore::new(part.max(1)))
        });
        let place = room.clone().try_acquire_owned().ok();
        if place.is_none() {
            let message = "has its part of all connections open; one more was closed";
            self.line(
                from,
                |left_out| tracing::warn!(%from, component = party, left_out, "{message}"),
            );
        }
        place
    }

    async fn converse(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        from: SocketAddr,
        http2: bool,
    ) {
        let (router, service, progress) =
            (self.router.clone(), self.service.clone(), Progress::new());
        let (answered, known) = (
            progress.clone(),
            peer.component().filter(|name| service.knows(name)).map(str::to_owned),
        );
        let answer = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let (mut router, service, answering) =
                (router.clone(), service.clone(), answered.answer());
            let http1 = request.version() <= Version::HTTP_11;
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            request.extensions_mut().insert(from);
            if let Some(target) = without_last_slash(request.uri()) {
                *request.uri_mut() = target;
            }
            async move {
                let mut response = router.as_service::<Body>().ready().await?.call(request).await?;
                // A client that is told beforehand sends nothing into a connection that is being closed.
                if http1 && service.readiness.is_leaving() {
                    response
                        .headers_mut()
                        .insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(
                    response.map(|body| AnswerBody { body, _answering: answering }),
                )
            }
        });
        let limits = self.service.settings.limits;
        let told = until_told(self.closing, &limits);
        if http2 {
            let conversation = second(&limits).serve_connection(TokioIo::new(stream), answer);
            run(conversation, told, &limits, http2::Connection::graceful_shutdown).await;
        } else {
            let words = unparsed::words(self.service.clone(), known, from);
            let patience = Patience { head: limits.headers, idle: limits.keep_alive };
            let io = TokioIo::new(Exchange::new(stream, progress, patience, words));
            let conversation = first(&limits).serve_connection(io, answer);
            run(conversation, told, &limits, http1::Connection::graceful_shutdown).await;
        }
    }
}

/// [`Exchange`] keeps the time limits.
fn first(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_headers(limits.header_count)
        .max_buf_size(64 << 10);
    builder
}

/// The two windows bound the bytes that hyper buffers before the service reads them.
fn second(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.headers)
        .keep_alive_timeout(limits.headers);
    builder
        .max_concurrent_streams(64)
        .max_header_list_size(64 << 10)
        .max_pending_accept_reset_streams(32);
    builder.initial_stream_window_size(64 << 10).initial_connection_window_size(256 << 10);
    builder
}

/// The body of an answer. The connection is busy until the body is dropped.
struct AnswerBody {
    body: Body,
    _answering: Answering,
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Until the service stops, or the connection is old enough.
async fn until_told(mut closing: watch::Receiver<bool>, limits: &Limits) {
    tokio::select! {
        _ = closing.wait_for(|closing| *closing) => {}
        () = tokio::time::sleep(limits.connection_age) => {}
    }
}

/// Runs a conversation; when told, lets it finish what it is at, for so long.
async fn run<C, E>(
    conversation: C,
    told: impl Future<Output = ()>,
    limits: &Limits,
    end: impl FnOnce(std::pin::Pin<&mut C>),
) where
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
