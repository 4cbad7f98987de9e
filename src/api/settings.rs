//! What can be set about the service.

use std::net::SocketAddr;
use std::time::Duration;

use super::body_budget::BodyBudgetSettings;
use super::gate::GateSettings;
use super::identity::Identities;
use super::tls::TlsSettings;

/// How a service listens, whom it knows, and what it puts up with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// How it speaks, and how callers are told apart.
    pub way: Way,
    /// How many services there are over this database: they share each component's connections.
    pub replicas: u32,
    /// Queues.
    pub gate: GateSettings,
    /// Bounds.
    pub limits: Limits,
    /// How old a signature may be, and how far ahead.
    pub signature_window: Duration,
    /// How long `/readyz` says no, on the way out, before connections are closed.
    pub drain: Duration,
}

/// How a service speaks.
#[derive(Debug, Clone)]
pub enum Way {
    /// TLS: who calls is told by the client's certificate.
    Tls {
        /// Its certificate, and whom it trusts.
        files: TlsSettings,
        /// Who a certificate is.
        identities: Identities,
    },
    /// Plain HTTP: every caller is this component, or nobody.
    Plain(Option<String>),
}

/// Bounds on what a client can take up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a request's headers.
    pub headers: Duration,
    /// For an idle connection's next request.
    pub keep_alive: Duration,
    /// For a request's body.
    pub body: Duration,
    /// For a whole request.
    pub request: Duration,
    /// After this a connection is told to go; a client that was revoked is gone by then at the latest.
    pub connection_age: Duration,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Bytes of the bodies that are held at a time.
    pub bodies: BodyBudgetSettings,
    /// Headers of a request.
    pub header_count: usize,
    /// For requests that run when the service stops.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(5),
            headers: Duration::from_secs(15),
            keep_alive: Duration::from_secs(75),
            body: Duration::from_secs(10),
            request: Duration::from_secs(30),
            connection_age: Duration::from_mins(5),
            body_bytes: 128 << 10,
            bodies: BodyBudgetSettings { of_component: 4 << 20, of_all: 16 << 20 },
            header_count: 64,
            shutdown: Duration::from_secs(30),
        }
    }
}
