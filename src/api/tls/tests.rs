use std::error::Error as _;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, HandshakeKind, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::reloading::{News, news};
use super::test_support::{Authority, Connection, Folder, Pair, client_config, connect, exchange};
use super::*;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn chain(connection: &Connection) -> Vec<CertificateDer<'static>> {
    connection.0.get_ref().1.peer_certificates().unwrap_or_default().to_vec()
}

/// What the server has against a client.
async fn objection(
    material: &Material,
    authority: &Authority,
    client: &Pair,
    version: &'static SupportedProtocolVersion,
) -> String {
    let error = connect(material, client_config(authority, Some(client), &[version])).await.map(drop).unwrap_err();
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
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => "expired list",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "purpose",
        _ => "something else",
    }
}

#[tokio::test]
async fn a_good_client_is_known_and_one_without_a_certificate_is_not() {
    let authority = Authority::new("authority");
    let folder = Folder::new(&authority).with_crl(&authority.crl(&[], 1));
    let (material, client) = (folder.material(), authority.client(7));
    for version in VERSIONS {
        let known = connect(&material, client_config(&authority, Some(&client), &[version])).await.unwrap();
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
            assert_eq!(objection(material, &authority, client, version).await, *expected, "{version:?}");
        }
        assert!(connect(&strict, client_config(&authority, Some(&authority.client(8)), &[version])).await.is_ok());
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
        let mut config = Arc::unwrap_or_clone(client_config(&authority, Some(&authority.client(7)), &[version]));
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

/// What the acceptor says to bytes, and what it answers them.
async fn answer(bytes: &[u8]) -> (String, Vec<u8>) {
    let material = Folder::new(&Authority::new("authority")).material();
    let (near, mut far) = tokio::io::duplex(1 << 16);
    far.write_all(bytes).await.unwrap();
    let error = TlsAcceptor::from(material.server_config.clone()).accept(near).await.map(drop).unwrap_err();
    let mut answer = Vec::new();
    far.read_to_end(&mut answer).await.unwrap();
    (error.to_string(), answer)
}

#[tokio::test]
async fn what_is_not_tls_is_turned_away() {
    for bytes in ["GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let (error, answer) = answer(bytes.as_bytes()).await;
        assert!(error.contains("corrupt message"), "{error}");
        assert!(answer.is_empty() || answer[0] == 21, "an alert, if anything: {answer:?}");
    }
}

#[tokio::test]
async fn tls_1_1_is_answered_with_an_alert() {
    // A handshake record with a ClientHello: version 3.2, random, no session, one cipher suite, no compression, and
    // the one extension without which the version is not even looked at, signature_algorithms.
    let mut hello = vec![3, 2];
    hello.extend([0x5a; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    let (error, answer) = answer(&record).await;
    // Alert, fatal, protocol_version.
    assert_eq!((answer[0], &answer[5..]), (21, [2, 70].as_slice()), "{error}");
}

#[tokio::test]
async fn new_files_count_for_new_connections_and_old_ones_go_on() {
    let (authority, next) = (Authority::new("authority"), Authority::new("next"));
    let folder = Folder::new(&authority);
    let reloading = Reloading::load(folder.settings.clone()).unwrap();
    assert!(!reloading.reload().unwrap());
    let (mut server, mut client) =
        connect(&reloading.current(), client_config(&authority, Some(&authority.client(7)), &[&TLS13])).await.unwrap();

    let Pair { certificate, key } = next.sign("a server", 1, ServerAuth, 5);
    folder.write("server.pem", &certificate);
    let (error, before) = (reloading.reload().unwrap_err(), reloading.current());
    assert!(matches!(error, TlsError::Pair { .. }), "{error}");
    assert_eq!(before.generation, 1);
    assert!(connect(&before, client_config(&authority, None, &[&TLS13])).await.is_ok(), "half a pair changes nothing");

    folder.write("server.key", &key);
    assert!(reloading.reload().unwrap());
    let after = reloading.current();
    assert!(after.generation == 2 && after.not_after < before.not_after, "{before:?} {after:?}");
    assert!(connect(&after, client_config(&next, None, &[&TLS13])).await.is_ok());
    assert!(connect(&after, client_config(&authority, None, &[&TLS13])).await.is_err());
    exchange(&mut server, &mut client).await.unwrap();
}

#[tokio::test]
async fn a_client_that_is_revoked_or_whose_authority_is_gone_is_no_longer_trusted() {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    let folder = Folder::new(&authority).with_crl(&authority.crl(&[], 1));
    let reloading = Reloading::load(folder.settings.clone()).unwrap();
    let connection =
        connect(&reloading.current(), client_config(&authority, Some(&authority.client(7)), &[&TLS13])).await.unwrap();
    let trusted = || reloading.reload().map(|_| reloading.current().still_trusts(&chain(&connection)));
    for (crl, expected) in [
        (authority.crl(&[8], 1), true),
        (authority.crl(&[7], 1), false),
        (authority.crl(&[], 1), true),
        (authority.crl(&[], -1), false),
    ] {
        folder.write("crl.pem", &crl);
        assert_eq!(trusted().unwrap(), expected);
    }
    let crl_not_after = reloading.current().crl_not_after;
    folder.write("crl.pem", &format!("{}{}", authority.crl(&[], 1), other.crl(&[], 9)));
    assert!(trusted().unwrap());
    assert!(reloading.current().crl_not_after > crl_not_after);
    folder.write("clients.pem", &other.pem());
    assert!(!trusted().unwrap());
}

/// The clock of the server is turned, not the certificate.
#[tokio::test]
async fn a_client_that_has_expired_meanwhile_is_no_longer_trusted() {
    #[derive(Debug)]
    struct InTwoMonths;
    impl rustls::time_provider::TimeProvider for InTwoMonths {
        fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
            let now = rustls::pki_types::UnixTime::now().as_secs();
            Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(now + 60 * 86_400)))
        }
    }
    let authority = Authority::new("authority");
    let mut material = Folder::new(&authority).material();
    let connection = connect(&material, client_config(&authority, Some(&authority.client(7)), &[&TLS13])).await.unwrap();
    assert!(material.still_trusts(&chain(&connection)));
    Arc::make_mut(&mut material.server_config).time_provider = Arc::new(InTwoMonths);
    assert!(!material.still_trusts(&chain(&connection)));
}

type Break = fn(&Folder, &Authority);

#[test]
fn an_error_names_the_setting_and_nothing_of_the_file() {
    let authority = Authority::new("authority");
    let cases: [(Break, &str); 12] = [
        (|folder, _| fs::remove_file(folder.path("server.pem")).unwrap(), "`server.certificate`: "),
        (
            |folder, _| {
                folder.write("server.pem", "");
            },
            "`server.certificate`: ",
        ),
        (
            |folder, _| {
                folder.write("server.pem", BROKEN);
            },
            "`server.certificate`: ",
        ),
        (
            |folder, _| {
                folder.chmod("server.key", 0o640);
            },
            "`server.private_key_file`: ",
        ),
        (
            |folder, _| {
                folder.chmod("server.key", 0o604);
            },
            "`server.private_key_file`: ",
        ),
        (
            |folder, _| {
                folder.write("server.key", BROKEN);
            },
            "`server.private_key_file`: ",
        ),
        (
            |folder, other| {
                folder.write("server.key", &other.server().key);
            },
            "`server.private_key_file` does not fit",
        ),
        (
            |folder, _| {
                folder.write("clients.pem", "");
            },
            "`server.client_ca`: ",
        ),
        (
            |folder, _| {
                folder.write("clients.pem", BROKEN);
            },
            "`server.client_ca`: ",
        ),
        (
            |folder, _| {
                folder.write("crl.pem", "");
            },
            "`server.client_crl`: ",
        ),
        (
            |folder, _| {
                folder.write("crl.pem", &BROKEN.replace("CERTIFICATE", "X509 CRL"));
            },
            "`server.client_crl`: ",
        ),
        (|folder, _| fs::File::create(folder.path("crl.pem")).unwrap().set_len(1 << 26).unwrap(), "`server.client_crl`: "),
    ];
    for (at, (damage, expected)) in cases.into_iter().enumerate() {
        let folder = Folder::new(&authority).with_crl(&authority.crl(&[], 1));
        folder.material();
        damage(&folder, &authority);
        let error = Material::load(&folder.settings).unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("AAAA"), "{at}: {error}");
    }
}

const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nMAMCAQAAAAA=\n-----END CERTIFICATE-----\n";

#[test]
fn a_key_may_be_read_only_and_behind_a_link() {
    let folder = Folder::new(&Authority::new("authority"));
    folder.chmod("server.key", 0o400);
    fs::rename(folder.path("server.key"), folder.path("real.key")).unwrap();
    std::os::unix::fs::symlink("real.key", folder.path("server.key")).unwrap();
    assert_eq!(folder.material().generation, 1);
}

async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it takes too long");
}

#[tokio::test]
async fn what_is_wrong_is_said_once() {
    let authority = Authority::new("authority");
    let (folder, next) = (Folder::new(&authority), authority.server());
    let reloading = Arc::new(Reloading::load(folder.settings.clone()).unwrap());
    assert_eq!(reloading.look(None).await, None);
    folder.write("server.pem", &next.certificate);
    let wrong = reloading.look(None).await;
    assert!(wrong.is_some());
    assert_eq!(reloading.look(wrong.clone()).await, wrong);
    folder.write("server.key", &next.key);
    assert_eq!(reloading.look(wrong.clone()).await, None);
    assert_eq!(reloading.current().generation, 2);

    let (wrong, broken) = (wrong.as_deref(), Err(wrong.clone().unwrap()));
    assert_eq!(news(&broken, None), News::Broken(wrong.unwrap()));
    assert_eq!(news(&broken, Some("something else")), News::Broken(wrong.unwrap()));
    assert_eq!(news(&broken, wrong), News::Nothing);
    assert_eq!(news(&Ok(true), wrong), News::Reloaded);
    assert_eq!(news(&Ok(false), wrong), News::Restored);
    assert_eq!(news(&Ok(false), None), News::Nothing);
}

#[tokio::test]
async fn files_are_watched_while_they_come_one_by_one() {
    let authority = Authority::new("authority");
    let (folder, next) = (Folder::new(&authority), authority.server());
    let reloading = Arc::new(Reloading::load(folder.settings.clone()).unwrap());
    let watching = tokio::spawn(reloading.clone().watch(Duration::from_millis(5), Arc::new(Notify::new())));
    folder.write("server.pem", &next.certificate);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(reloading.current().generation, 1);
    folder.write("server.key", &next.key);
    until(|| reloading.current().generation == 2).await;
    watching.abort();
}

#[tokio::test]
async fn a_signal_is_heard_at_once() {
    let authority = Authority::new("authority");
    let folder = Folder::new(&authority);
    let (reloading, signal) = (Arc::new(Reloading::load(folder.settings.clone()).unwrap()), Arc::new(Notify::new()));
    let watching = tokio::spawn(reloading.clone().watch(Duration::from_hours(1), signal.clone()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    folder.write("clients.pem", &format!("{}{}", authority.pem(), Authority::new("next").pem()));
    signal.notify_one();
    until(|| reloading.current().generation == 2).await;
    watching.abort();
}
