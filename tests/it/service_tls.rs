//! Who gets in: the matrix of certificates, and what changes while connections are open.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::support::{Caller, Engine, Room, Service, numbered_rows, until};

const FALLBACK: &str = "\n[server.identity.fallback]\n\"CN=nova-compute\" = \"compute\"\n";

/// Certificates that `dev-certs` would not make, by its authority or by another.
struct Maker<'a> {
    folder: &'a Path,
    issuer: Issuer<'static, KeyPair>,
}

impl<'a> Maker<'a> {
    fn of(folder: &'a Path) -> Self {
        let (pem, key) = (
            std::fs::read_to_string(folder.join("ca.pem")).unwrap(),
            std::fs::read_to_string(folder.join("ca.key")).unwrap(),
        );
        Self {
            folder,
            issuer: Issuer::from_ca_cert_pem(&pem, KeyPair::from_pem(&key).unwrap()).unwrap(),
        }
    }

    fn another(folder: &'a Path) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        parameters.distinguished_name.push(DnType::CommonName, "somebody else");
        Self { folder, issuer: Issuer::new(parameters, KeyPair::generate().unwrap()) }
    }

    fn make(
        &self,
        name: &str,
        uris: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> (PathBuf, PathBuf) {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        parameters.subject_alt_names =
            uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let (pem, private) = (
            self.folder.join(format!("{name}.made.pem")),
            self.folder.join(format!("{name}.made.key")),
        );
        std::fs::write(&pem, certificate.pem()).unwrap();
        std::fs::write(&private, key.serialize_pem()).unwrap();
        (pem, private)
    }
}

const API: &str = "spiffe://strongroom.local/component/api";

fn service() -> (Room, Service) {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(2));
    room.run(&["dev-certs", "--out", "certs"]).expect(0);
    // An empty list of what was revoked.
    room.run(&["dev-certs", "--out", "certs", "--revoke", "network"]).expect(0);
    let service = room.serve("client_crl = \"certs/crl.pem\"");
    let file = room.path().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap() + FALLBACK;
    std::fs::write(&file, text).unwrap();
    service.stop();
    let service = Service::start_with(&room, &[]);
    (room, service)
}

/// What somebody with this pair is told by a route that needs a component.
fn told(service: &Service, pair: Option<(&PathBuf, &PathBuf)>) -> String {
    let caller =
        service.caller_with(pair.map(|(certificate, key)| (certificate.as_path(), key.as_path())));
    match caller.ask("GET", "/v1/credentials", None) {
        Ok(answer) => answer.verdict(),
        Err(error) => format!("no connection: {}", without_prefix(&error.to_string())),
    }
}

fn without_prefix(error: &str) -> String {
    error.trim_start_matches("io: ").trim_start_matches("rustls: ").to_owned()
}

#[test]
fn the_matrix_of_certificates() {
    let (_room, service) = service();
    let folder = service.certificates.clone();
    let (ours, another) = (Maker::of(&folder), Maker::another(&folder));
    let plain = |_: &mut CertificateParams| {};
    let mut said = String::new();
    let mut line = |what: &str, pair: Option<(PathBuf, PathBuf)>| {
        writeln!(said, "{what:<44} {}", told(&service, pair.as_ref().map(|(a, b)| (a, b))))
            .unwrap();
    };
    let dev =
        |name: &str| Some((folder.join(format!("{name}.pem")), folder.join(format!("{name}.key"))));
    line("api, as dev-certs makes it", dev("api"));
    line(
        "api, with a host behind its name",
        Some(ours.make("host", &["spiffe://strongroom.local/component/api/host-1"], plain)),
    );
    line("no URI, and a subject in the table", Some(ours.make("nova-compute", &[], plain)));
    line("no certificate", None);
    let expired = |parameters: &mut CertificateParams| {
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(2021, 1, 1);
    };
    line("expired", Some(ours.make("expired", &[API], expired)));
    line(
        "not valid yet",
        Some(ours.make("early", &[API], |parameters| {
            parameters.not_before = date_time_ymd(2090, 1, 1);
        })),
    );
    line("another authority's", Some(another.make("foreign", &[API], plain)));
    line("revoked", dev("network"));
    line("a server's, not a client's", dev("server"));
    line(
        "two URIs",
        Some(ours.make("two", &[API, "spiffe://strongroom.local/component/compute"], plain)),
    );
    line(
        "a component that no policy has",
        Some(ours.make("unknown", &["spiffe://strongroom.local/component/nobody"], plain)),
    );
    line(
        "the service's own component",
        Some(ours.make("own", &["spiffe://strongroom.local/component/strongroom"], plain)),
    );
    line(
        "another trust domain",
        Some(ours.make("domain", &["spiffe://elsewhere/component/api"], plain)),
    );
    line(
        "a URI that is no SPIFFE id",
        Some(ours.make("http", &["https://strongroom.local/component/api"], plain)),
    );
    line(
        "not a component's path",
        Some(ours.make("path", &["spiffe://strongroom.local/user/api"], plain)),
    );
    line(
        "a URI refused, and a subject in the table",
        Some(ours.make("nova-compute", &["spiffe://elsewhere/component/api"], plain)),
    );
    line("no URI, and a subject that is not there", Some(ours.make("nova-api", &[], plain)));
    let two = |parameters: &mut CertificateParams| {
        parameters.distinguished_name.push(DnType::OrganizationName, "x");
    };
    line(
        "no URI, and more than the subject in the table",
        Some(ours.make("nova-compute", &[], two)),
    );
    let authority = |parameters: &mut CertificateParams| {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    };
    line("an authority's own certificate", Some(ours.make("authority", &[API], authority)));
    insta::assert_snapshot!("certificates", said);
    // Health and the API's description need none; metrics do.
    let nobody = service.caller_with(None);
    let open: Vec<_> = ["/healthz", "/readyz", "/openapi.json", "/docs", "/metrics"]
        .map(|path| nobody.get(path).status)
        .into();
    assert_eq!(open, [200, 200, 200, 200, 401]);
}

fn port(service: &Service) -> String {
    service.url.rsplit("//").next().unwrap().to_owned()
}

/// What a server says to bytes.
fn answered(service: &Service, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(port(service)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn neither_old_tls_nor_plain_http_is_spoken() {
    let (_room, service) = service();
    // A ClientHello of TLS 1.1 with one cipher suite (RFC 4346, section 7.4.1.2), and the one extension without which its
    // version is not even looked at, signature_algorithms.
    let mut hello = vec![22, 3, 1, 0, 55, 1, 0, 0, 51, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let alert = answered(&service, &hello);
    assert_eq!(
        (alert.first(), alert.last()),
        (Some(&21), Some(&70)),
        "the alert protocol_version: {alert:?}"
    );
    let plain = answered(&service, b"GET /v1/credentials HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let plain = String::from_utf8(plain).unwrap();
    assert!(plain.starts_with("HTTP/1.1 400 ") && plain.contains("https://"), "{plain}");
    assert_eq!(service.caller("api").get("/v1/credentials").status, 200);
    let failed = service.caller("api").get("/metrics").text;
    assert!(failed.contains("strongroom_handshakes_failed_total 2"), "{failed}");
}

/// A client that is revoked is refused on the connection that it has, at once.
#[test]
fn revoking_counts_for_open_connections() {
    let (room, service) = service();
    let compute = service.caller("compute");
    assert_eq!(compute.get("/v1/credentials/row-000001").status, 200);
    let api = service.caller("api");
    assert_eq!(api.get("/v1/credentials").status, 200);
    room.run(&["dev-certs", "--out", "certs", "--revoke", "compute"]).expect(0);
    service.signal("-HUP");
    until("the list is read", || service.log().contains("TLS reloaded"));
    assert_eq!(
        compute.get("/v1/credentials/row-000001").verdict(),
        "401 untrusted_certificate identity"
    );
    assert!(
        service.caller("compute").ask("GET", "/v1/credentials/row-000001", None).is_err(),
        "no new connection either"
    );
    assert_eq!(api.get("/v1/credentials").status, 200, "nobody else notices");
}

/// The certificate is another one, for new connections; open ones go on. Half of a pair changes nothing.
#[test]
fn certificates_are_exchanged_while_it_runs() {
    let (room, service) = service();
    let api = service.caller("api");
    assert_eq!(api.get("/v1/credentials").status, 200);
    let serial = |service: &Service| {
        let text = std::fs::read_to_string(service.certificates.join("server.pem")).unwrap();
        text.lines().nth(5).unwrap().to_owned()
    };
    let before = serial(&service);
    let key = std::fs::read(service.certificates.join("server.key")).unwrap();
    room.run(&["dev-certs", "--out", "certs", "--renew"]).expect(0);
    assert_ne!(serial(&service), before);
    let next = std::fs::read(service.certificates.join("server.key")).unwrap();
    std::fs::write(service.certificates.join("server.key"), key).unwrap();
    service.signal("-HUP");
    until("half of a pair is refused", || {
        service.log().contains("goes on with the files that it has")
    });
    assert_eq!(service.caller("api").get("/v1/credentials").status, 200);
    std::fs::write(service.certificates.join("server.key"), next).unwrap();
    until("noticed without being told", || service.log().contains("TLS reloaded"));
    assert_eq!(service.caller("api").get("/v1/credentials").status, 200);
    assert_eq!(
        api.get("/v1/credentials").status,
        200,
        "the old certificate's client, whose authority is the same"
    );
}

#[test]
fn what_cannot_be_served_is_refused_at_the_start() {
    let (room, service) = service();
    let refused = |settings: &[(&str, &str)], arguments: &[&str], code| {
        let mut command = room.command(&[&["serve"], arguments].concat());
        for (name, value) in settings {
            command.env(format!("STRONGROOM__SERVER__{name}"), value);
        }
        crate::support::ran(&mut command).expect(code).err
    };
    let said = [
        refused(&[("TLS", "false"), ("LISTEN", "0.0.0.0:0")], &[], 4),
        refused(&[("CERTIFICATE", "nowhere.pem")], &[], 4),
        refused(&[("PRIVATE_KEY_FILE", "certs/api.key")], &[], 4),
        refused(&[("CLIENT_CA", "certs/server.key")], &[], 4),
        refused(&[("LISTEN", "nonsense")], &[], 2),
        refused(&[("IDENTITY__TRUST_DOMAIN", "Not A Domain")], &[], 2),
        refused(&[("QUEUE_SECONDS", "-1")], &[], 2),
        refused(&[("LISTEN", &port(&service))], &[], 1).replace(&port(&service), "127.0.0.1:PORT"),
    ];
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(service.certificates.join("server.key"), mode).unwrap();
    insta::assert_snapshot!("not_served", said.join("\n") + "\n" + &refused(&[], &[], 4));
}

/// Somebody who sends a request one byte at a time takes up nothing but a connection, and not for long.
#[test]
fn a_slow_client_is_sent_away() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    room.serve("").stop();
    let service = Service::start_with(
        &room,
        &[("TLS", "false"), ("IDENTITY__PLAIN_COMPONENT", "api"), ("MAX_BODY_BYTES", "1000")],
    );
    let slow = answered(
        &service,
        b"POST /v1/credentials HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
    );
    let slow = String::from_utf8(slow).unwrap();
    assert!(
        slow.starts_with("HTTP/1.1 408")
            && slow.contains("\"too_slow\"")
            && slow.contains("connection: close"),
        "{slow}"
    );
    assert_eq!(
        answered(&service, b"GET /v1/credentials HT"),
        b"HTTP/1.1 408 Request Timeout\r\n\r\n".get(..0).unwrap(),
        "headers that never end"
    );
    let many = "X-One-Of-Many: y\r\n".repeat(200);
    let many =
        answered(&service, format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes());
    let many = String::from_utf8(many).unwrap();
    assert!(many.starts_with("HTTP/1.1 431") && many.contains("\"headers_too_large\""), "{many}");
    let caller = Caller::new(&service.url, None, None);
    let long = caller.post("/v1/credentials", &serde_json::json!({ "user_id": "x".repeat(2000) }));
    assert_eq!(long.verdict(), "413 too_large");
    assert_eq!(caller.post("/v1/credentials", &serde_json::json!({ "user_id": "x" })).status, 201);
}

/// However busy its client is.
#[test]
fn a_connection_gets_only_so_old() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    room.serve("").stop();
    let settings =
        [("TLS", "false"), ("IDENTITY__PLAIN_COMPONENT", "api"), ("CONNECTION_AGE_SECONDS", "2")];
    let service = Service::start_with(&room, &settings);
    let mut stream = TcpStream::connect(port(&service)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let begun = Instant::now();
    let mut answers = 0;
    while stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").is_ok() {
        let mut answer = [0; 4096];
        if !stream.read(&mut answer).is_ok_and(|read| read > 0) {
            break;
        }
        answers += 1;
        assert!(begun.elapsed() < Duration::from_secs(15), "{answers} answers and no end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(
        answers > 10 && begun.elapsed() > Duration::from_secs(1),
        "{answers} answers in {:?}",
        begun.elapsed()
    );
}

/// It was good at the handshake.
#[test]
fn a_certificate_that_expires_counts_for_open_connections() {
    let (_room, service) = service();
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let soon = |parameters: &mut CertificateParams| {
        parameters.not_after = date_time_ymd(1970, 1, 1) + since_1970 + Duration::from_secs(4);
    };
    let (certificate, key) = Maker::of(&service.certificates).make("brief", &[API], soon);
    let caller = service.caller_with(Some((&certificate, &key)));
    assert_eq!(caller.get("/v1/credentials").status, 200);
    until("it is over", || {
        std::thread::sleep(Duration::from_millis(200));
        caller.get("/v1/credentials").verdict() == "401 untrusted_certificate identity"
    });
}
