//! Sends bytes over TLS: rules of HTTP, answers to refused clients, log lines, and the start.

mod log_line;
mod start;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::support::{Engine, Room, Service, numbered_rows, repository, until};

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn room() -> Room {
    Room::sealed(Engine::Sqlite, &numbered_rows(2))
}

fn port(service: &Service) -> String {
    service.url.rsplit("//").next().unwrap().to_owned()
}

/// A client's side of TLS, as a component, with a certificate of another name, or without one.
pub fn config(folder: &Path, name: Option<&str>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = builder.with_root_certificates(roots);
    let Some(name) = name else { return builder.with_no_client_auth() };
    let chain = vec![CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap()];
    builder
        .with_client_auth_cert(
            chain,
            PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap(),
        )
        .unwrap()
}

fn connect_with(service: &Service, config: ClientConfig) -> Tls {
    let stream = TcpStream::connect(port(service)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    StreamOwned::new(client, stream)
}

fn connect(service: &Service, component: Option<&str>) -> Tls {
    connect_with(service, config(&service.certificates, component))
}

/// One answer: the status, the head in small letters, and the body.
fn answer(stream: &mut impl std::io::Read) -> Option<(u16, String, String)> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap().to_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Some((head[9..12].parse().unwrap(), head, String::from_utf8(body).unwrap()))
}

fn told(service: &Service, component: Option<&str>, bytes: &str) -> (u16, String, String) {
    let mut stream = connect(service, component);
    stream.write_all(bytes.as_bytes()).unwrap();
    answer(&mut stream).unwrap_or_else(|| panic!("no answer to {bytes:?}"))
}

/// The code of a problem document.
fn code((_, head, body): &(u16, String, String)) -> String {
    assert!(head.contains("content-type: application/problem+json"), "{head}{body}");
    assert!(head.contains("cache-control: no-store") && head.contains("x-request-id: "), "{head}");
    serde_json::from_str::<Value>(body).unwrap()["code"].as_str().unwrap().to_owned()
}

fn reported(name: &str) -> String {
    let file = repository().join("tests/data/service/http.json");
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(cases.len(), 4);
    cases.iter().find(|case| case["name"] == name).unwrap()["send"].as_str().unwrap().to_owned()
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn reported_bytes_are_answered_as_they_should_be() {
    let room = room();
    let service = room.serve("");
    let no_host = told(&service, None, &reported("HTTP/1.1 without Host"));
    assert_eq!((no_host.0, code(&no_host).as_str()), (400, "host"));
    let many = format!(
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
        "X-One-Of-Many: y\r\n".repeat(200)
    );
    let many = told(&service, None, &many);
    assert_eq!((many.0, code(&many).as_str()), (431, "headers_too_large"));
    let mut plain = TcpStream::connect(port(&service)).unwrap();
    plain.write_all(reported("plain HTTP to the TLS port").as_bytes()).unwrap();
    let plain = answer(&mut plain).unwrap();
    assert!(plain.0 == 400 && plain.2.contains("https://"), "{plain:?}");
    let mut idle = connect(&service, None);
    let bytes = reported("idle for 20 s on a kept-alive connection, then another GET");
    for pause in [20, 0] {
        idle.write_all(bytes.as_bytes()).unwrap();
        assert_eq!(answer(&mut idle).unwrap().0, 200);
        std::thread::sleep(Duration::from_secs(pause));
    }
}

#[test]
fn an_idle_connection_ends_after_the_time_that_is_set() {
    let room = room();
    let service = room.serve("keep_alive_seconds = 1.5");
    let mut stream = connect(&service, None);
    stream.write_all(HEALTH.as_bytes()).unwrap();
    assert_eq!(answer(&mut stream).unwrap().0, 200);
    let begun = Instant::now();
    assert_eq!(
        stream.read(&mut [0]).unwrap(),
        0,
        "it ends in order, with a word of TLS that it does"
    );
    assert!((1..10).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[test]
fn requests_that_http_forbids_are_refused_in_words() {
    let room = room();
    let service = room.serve("");
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(70_000));
    for (bytes, status, wanted) in [
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "host"),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "host"),
        ("GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "host"),
        ("GET /healthz HTTP/1.1\r\nHost: user@a\r\n\r\n", 400, "host"),
        ("GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "host"),
        ("POST /v1/credentials HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "malformed"),
        ("GET /health z HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"),
        ("GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed"),
        (long.as_str(), 431, "headers_too_large"),
    ] {
        let told = told(&service, None, bytes);
        let shown = bytes.get(..60).unwrap_or(bytes);
        assert!(told.0 == status || (told.0 == 414 && status == 431), "{shown:?}: {told:?}");
        assert!(code(&told) == wanted || told.0 == 414, "{shown:?}: {told:?}");
        assert!(told.1.contains("connection: close"), "{shown:?}: {told:?}");
    }
    assert_eq!(
        told(&service, None, "GET /healthz HTTP/1.0\r\n\r\n").0,
        200,
        "HTTP/1.0 has no Host"
    );
    assert_eq!(told(&service, None, "GET https://b/healthz HTTP/1.1\r\nHost: a\r\n\r\n").0, 200);
    assert!(!service.log().contains("ERROR"), "{}", service.log());
}

/// The client has sent its request by the time that the server sees its certificate: a socket that is closed with these bytes in
/// it resets the connection, and takes the alert away.
#[test]
fn a_refused_client_gets_the_alert_and_not_a_reset() {
    let room = room();
    let service = room.serve("");
    let foreign = tempfile::tempdir().unwrap();
    let strangers = foreign.path().join("certs");
    room.run(&["dev-certs", "--out", strangers.to_str().unwrap(), "--component", "api"]).expect(0);
    for file in ["api.pem", "api.key"] {
        std::fs::copy(
            strangers.join(file),
            service.certificates.join(format!("foreign.{}", &file[4..])),
        )
        .unwrap();
    }
    for _ in 0..10 {
        let mut stream = connect(&service, Some("foreign"));
        let mut request = HEALTH.as_bytes().to_vec();
        request.resize(30_000, b'x');
        let error = stream
            .write_all(&request)
            .and_then(|()| stream.read(&mut [0; 64]).map(drop))
            .unwrap_err()
            .to_string();
        assert!(error.contains("UnknownCA") || error.contains("DecryptError"), "{error}");
    }
    let log = service.log();
    let lines: Vec<_> =
        log.lines().filter(|line| line.contains("a TLS handshake failed")).collect();
    assert!(!lines.is_empty() && lines.len() <= 6, "bounded: {lines:?}");
    let first = lines[0];
    assert!(
        first.contains("the client's certificate") && first.contains("from=127.0.0.1:"),
        "{first}"
    );
}

#[test]
fn a_wrong_request_is_told_which_member_is_wrong() {
    let room = room();
    let service = room.serve("");
    let api = service.caller("api");
    let posted = |path: &str, body: Value| api.post(path, &body).expect(400).text;
    let got = |path: &str| api.get(path).expect(400).text;
    let parts = |more: Value| {
        let mut parts = json!({ "access": "a", "host": "h", "verb": "GET", "path": "/" });
        parts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "credentials": parts })
    };
    let verify = "/v1/ec2-signatures/verify";
    for (told, wanted) in [
        (posted("/v1/credentials", json!({})), "`user_id` is missing"),
        (posted("/v1/credentials", json!({ "user_id": 4711 })), "`user_id` must be a string"),
        (posted("/v1/credentials", json!({ "user_id": "u", "usr": "4711" })), "`usr` is no member"),
        (posted("/v1/credentials", json!({ "user_id": "" })), "`user_id` must not be empty"),
        (
            posted("/v1/credentials", json!({ "user_id": "u", "secret": "" })),
            "`secret` must not be empty",
        ),
        (
            posted("/v1/credentials", json!({ "user_id": "u", "extra": "4711" })),
            "`extra` must be a map",
        ),
        (
            posted("/v3/users/u/credentials/OS-EC2", json!({ "tenant_id": null })),
            "`tenant_id` must be a string",
        ),
        (
            posted(verify, json!({ "credentials": { "access": "a" } })),
            "`credentials.host` is missing",
        ),
        (
            posted(verify, parts(json!({ "params": { "a": { "b": "4711" } } }))),
            "`credentials.params.a` must be a string, a number",
        ),
        (
            posted(verify, parts(json!({ "headers": { "a": ["4711"] } }))),
            "`credentials.headers.a` must be a string or a number",
        ),
        (posted(verify, json!({ "credentials": ["4711"] })), "`credentials` must be an object"),
        (got("/v1/credentials?limit=many"), "the query parameter `limit` has a value"),
        (got("/v1/credentials?limit=0"), "the query parameter `limit` is from 1 to 10000"),
        (got("/v1/credentials?limitt=4711"), "there is no query parameter `limitt`"),
        (got("/v1/credentials?limit=1&limit=2"), "the query parameter `limit` is given twice"),
        (got("/v1/credentials?after=%00"), "the query parameter `after` holds a NUL"),
        (
            got("/v1/credentials/row-000001?reveal=maybe"),
            "the query parameter `reveal` has a value",
        ),
    ] {
        let detail = serde_json::from_str::<Value>(&told).unwrap();
        let detail = detail["detail"].as_str().or(detail["error"]["message"].as_str()).unwrap();
        assert!(detail.starts_with(wanted) && !told.contains("4711"), "{wanted}: {told}");
    }
}

#[test]
fn nothing_may_be_stored_on_the_way() {
    let room = room();
    let service = room.serve("");
    let (api, nobody) = (service.caller("api"), service.caller_with(None));
    let made =
        api.post("/v3/users/alice/credentials/OS-EC2", &json!({ "tenant_id": "web" })).expect(201);
    let answers = [
        made,
        api.get("/v3/users/alice/credentials/OS-EC2").expect(200),
        api.get("/v1/credentials/row-000001?reveal=true").expect(200),
        api.get("/v1/credentials/nothing").expect(404),
        api.post("/v1/credentials", &json!({})).expect(400),
        api.delete("/v1/credentials").expect(405),
        api.get("/v3/nothing").expect(404),
        api.post("/v1/database-logins", &json!({})).expect(404),
        service.caller("compute").get("/v1/credentials/row-000001?reveal=true").expect(403),
        nobody.get("/v1/credentials").expect(401),
        nobody.get("/healthz").expect(200),
    ];
    for answer in answers {
        assert_eq!(answer.headers["cache-control"], "no-store", "{answer:?}");
    }
}

#[test]
fn a_slash_at_the_end_of_a_path_is_as_none() {
    let room = room();
    let service = room.serve("");
    let api = service.caller("api");
    assert_eq!(api.get("/healthz/").text, api.get("/healthz").text);
    assert_eq!(
        api.get("/v1/credentials/?limit=1").expect(200).text,
        api.get("/v1/credentials?limit=1").text
    );
    api.get("/v1/credentials/row-000001/?reveal=true").expect(200);
    api.post("/v1/credentials/find/", &json!({ "access": "nothing" })).expect(404);
    assert_eq!(api.delete("/v1/credentials/").verdict(), "405 no_method");
    // It addresses a credential with an empty access key; a list of all secrets would be the wrong answer.
    api.get("/v3/users/alice/credentials/OS-EC2").expect(200);
    assert_eq!(api.get("/v3/users/alice/credentials/OS-EC2/").status, 404);
}
