//! Who gets a connection, and who does not.

use std::error::Error as _;
use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use rustls::client::Resumption;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, HandshakeKind, SupportedProtocolVersion};

use super::chain;
use crate::tls::Material;
use crate::tls::test_support::{Authority, Folder, Pair, client_config, connect};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

#[tokio::test]
async fn a_good_client_is_known_and_one_without_a_certificate_is_not() {
    let authority = Authority::new("authority");
    let folder = Folder::new(&authority).with_crl(&authority.crl(&[], 1));
    let (material, client) = (folder.material(), authority.client(7));
    for version in VERSIONS {
        let known =
            connect(&material, client_config(&authority, Some(&client), &[version])).await.unwrap();
        assert_eq!(chain(&known).len(), 1);
        assert!(material.still_trusts(&chain(&known)));
        assert_eq!(known.0.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        assert_eq!(known.0.get_ref().1.protocol_version(), Some(version.version));

        let nobody = connect(&material, client_config(&authority, None, &[version])).await.unwrap();
        assert!(chain(&nobody).is_empty());
        assert!(!material.still_trusts(&chain(&nobody)));
    }
}

#[tokio::test]
async fn a_client_with_a_wrong_certificate_gets_no_connection() {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    // Bears the authority's name, but not its key.
    let namesake = Authority::new("authority");
    let plain = Folder::new(&authority).material();
    let strict = Folder::new(&authority).with_crl(&authority.crl(&[7], 1)).material();
    let late = Folder::new(&authority).with_crl(&authority.crl(&[], -1)).material();
    let astray = Folder::new(&authority).with_crl(&other.crl(&[], 1)).material();
    let cases = [
        (&plain, authority.sign("a client", 1, ClientAuth, -1), "expired"),
        (&plain, authority.sign("a client", 1, ServerAuth, 1), "purpose"),
        (&plain, other.client(1), "unknown issuer"),
        (&plain, namesake.client(1), "signature"),
        (&strict, authority.client(7), "revoked"),
        (&late, authority.client(1), "expired list"),
        (&astray, authority.client(1), "unknown revocation status"),
    ];
    for version in VERSIONS {
        for (material, client, expected) in &cases {
            assert_eq!(
                objection(material, &authority, client, version).await,
                *expected,
                "{version:?}"
            );
        }
        assert!(
            connect(&strict, client_config(&authority, Some(&authority.client(8)), &[version]))
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn the_same_client_is_verified_at_every_connection() {
    let authority = Authority::new("authority");
    let material = Folder::new(&authority).material();
    let server = &material.server_config;
    assert!(!server.session_storage.can_cache() && !server.ticketer.enabled());
    assert_eq!((server.send_tls13_tickets, server.max_early_data_size), (0, 0));
    for version in VERSIONS {
        let mut config =
            Arc::unwrap_or_clone(client_config(&authority, Some(&authority.client(7)), &[version]));
        config.resumption = Resumption::in_memory_sessions(8);
        config.enable_early_data = true;
        let config = Arc::new(config);
        for _ in 0..3 {
            let (server, client) = connect(&material, config.clone()).await.unwrap();
            assert_eq!(server.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(client.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(client.get_ref().1.tls13_tickets_received(), 0);
        }
    }
}

/// What the server has against a client.
async fn objection(
    material: &Material,
    authority: &Authority,
    client: &Pair,
    version: &'static SupportedProtocolVersion,
) -> String {
    let error = connect(material, client_config(authority, Some(client), &[version]))
        .await
        .map(drop)
        .unwrap_err();
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(error)) => name(error).to_owned(),
        _ => format!("{error:?} {:?}", error.source()),
    }
}

fn name(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
        CertificateError::UnknownIssuer => "unknown issuer",
        CertificateError::BadSignature => "signature",
        CertificateError::Revoked => "revoked",
        CertificateError::UnknownRevocationStatus => "unknown revocation status",
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => "expired list",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "purpose"
        }
        _ => "something else",
    }
}
