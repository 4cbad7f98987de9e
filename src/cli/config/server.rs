//! `[server]`: the HTTPS service; and `[service]`: where the command line finds one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// `[server]`: read by `strongroom serve`. Times are in seconds.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    /// Where it listens.
    pub listen: String,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Its certificate, and those of the authorities between it and the root.
    pub certificate: PathBuf,
    /// The certificate's key; mode 0600 or 0400.
    pub private_key_file: PathBuf,
    /// Who signs clients' certificates.
    pub client_ca: PathBuf,
    /// The clients' certificates that were revoked.
    pub client_crl: Option<PathBuf>,
    /// Who a certificate is.
    pub identity: Identity,
    /// How many services there are over this database: each takes its part of a component's connections.
    pub replicas: u32,
    /// Requests of a component that may wait, for each connection of its pool.
    pub queue_per_connection: usize,
    /// For how long one may wait.
    pub queue_seconds: f64,
    /// For a whole request.
    pub request_seconds: f64,
    /// After this a connection ends.
    pub connection_age_seconds: f64,
    /// Connections at a time.
    pub max_connections: usize,
    /// An idle connection of HTTP/1.1 ends after this.
    pub keep_alive_seconds: f64,
    /// Bytes of a request's body.
    pub max_body_bytes: usize,
    /// Bytes of all bodies that are held at a time.
    pub max_bodies_bytes: usize,
    /// The same of one component.
    pub max_component_bodies_bytes: usize,
    /// How old a signature may be, and how far ahead.
    pub signature_window_seconds: u64,
    /// For how long `/readyz` says no before a stopping service takes no more connections.
    pub drain_seconds: f64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8443".to_owned(),
            tls: true,
            certificate: "server.pem".into(),
            private_key_file: "server.key".into(),
            client_ca: "ca.pem".into(),
            client_crl: None,
            identity: Identity::default(),
            replicas: 2,
            queue_per_connection: 10,
            queue_seconds: 2.0,
            request_seconds: 30.0,
            connection_age_seconds: 300.0,
            max_connections: 1024,
            keep_alive_seconds: 75.0,
            max_body_bytes: 128 << 10,
            max_bodies_bytes: 16 << 20,
            max_component_bodies_bytes: 4 << 20,
            signature_window_seconds: 300,
            drain_seconds: 5.0,
        }
    }
}

/// `[server.identity]`: who a client certificate is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Identity {
    /// `spiffe://TRUST_DOMAIN/component/NAME` is component NAME.
    pub trust_domain: Option<String>,
    /// For certificates without a URI: the whole subject, as RFC 4514 writes it, and its component.
    pub fallback: BTreeMap<String, String>,
    /// Over plain HTTP: the component that every caller is.
    pub plain_component: Option<String>,
}

/// `[service]`: where `credential` finds a service, in place of the database.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Service {
    /// Its address.
    pub url: Option<String>,
    /// Who signs its certificate.
    pub ca_file: Option<PathBuf>,
    /// The client's own certificate.
    pub certificate: Option<PathBuf>,
    /// The certificate's key.
    pub private_key_file: Option<PathBuf>,
}
