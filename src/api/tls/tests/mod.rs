//! What the service's TLS lets through, refuses, and exchanges while it runs.

mod bytes;
mod client;
mod files;
mod reloading;
mod trust;

use rustls::pki_types::CertificateDer;

use super::test_support::Connection;

fn chain(connection: &Connection) -> Vec<CertificateDer<'static>> {
    connection.0.get_ref().1.peer_certificates().unwrap_or_default().to_vec()
}
