//! The way to a server off loopback: encrypted and verified, or not gone.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Authority, Engine, Ran, Room, TlsServer, on_every_server, ran};

on_every_server!(
    the_right_authority_opens_the_way,
    who_cannot_be_verified_is_not_talked_to,
    an_authority_is_asked_on_loopback_too,
    the_loud_flag_allows_plaintext_and_says_so,
);

/// A folder with a key, and settings.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: TempDir::new().unwrap() };
        desk.run("sqlite://strongroom.db?mode=rwc", None, &["init"]).expect(0);
        desk
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, url: &str, authority: Option<&Authority>, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .env_remove("RUST_LOG")
            .env_remove("DATABASE_URL");
        command.env("STRONGROOM__DATABASE__URL", url);
        if let Some(authority) = authority {
            command.env("STRONGROOM__DATABASE__CA_FILE", self.file("ca.pem", &authority.pem));
        }
        command
    }

    fn run(&self, url: &str, authority: Option<&Authority>, arguments: &[&str]) -> Ran {
        ran(&mut self.command(url, authority, arguments))
    }

    /// Asks for the status, which must fail soon, with this code and a message that says this.
    #[track_caller]
    fn fails(
        &self,
        url: &str,
        authority: Option<&Authority>,
        (exit, code): (i32, &str),
        says: &str,
    ) {
        let begun = Instant::now();
        let ran = self.run(url, authority, &["migrate", "status", "--format", "json"]).expect(exit);
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        let error = &ran.json()["error"];
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
        assert!(error["help"].as_str().unwrap().contains("database.allow_insecure"), "{error}");
    }
}

/// The login is one that the server lets in over TLS only, so what works was encrypted.
fn the_right_authority_opens_the_way(engine: Engine) {
    let (server, desk, name) = (TlsServer::of(engine), Desk::new(), TlsServer::new_name());
    let run = |arguments: &[&str]| {
        desk.run(&server.url(&name), Some(&server.authority), arguments).expect(0)
    };
    run(&["init"]);
    run(&["migrate", "up", "--yes"]);
    let made = run(&["credential", "create", "--user-id", "alice", "--format", "json"]).json();
    let shown = run(&[
        "credential",
        "show",
        "--id",
        made["id"].as_str().unwrap(),
        "--reveal",
        "--format",
        "json",
    ]);
    assert_eq!(shown.json()["secret"], made["secret"]);
    assert!(!shown.err.contains("warning"), "{}", shown.err);
    let doctor = run(&["doctor"]);
    assert!(
        doctor.out.contains("encrypted with TLSv1.3, verified; another host"),
        "{}",
        doctor.out
    );
    let in_the_clear = format!("{}?ssl-mode=disable", server.url(&name));
    let mut command = desk.command(&in_the_clear, None, &["migrate", "status"]);
    ran(command.env("STRONGROOM__DATABASE__ALLOW_INSECURE", "true")).expect(6);
}

fn who_cannot_be_verified_is_not_talked_to(engine: Engine) {
    let (server, desk) = (TlsServer::of(engine), Desk::new());
    let url = server.url("anything");
    desk.fails(&url, None, (6, "tls"), "not signed by an authority that is trusted here");
    desk.fails(
        &url,
        Some(&Authority::new()),
        (6, "tls"),
        "not signed by an authority that is trusted here",
    );
    let elsewhere = server.url_at(server.elsewhere(), "careful", "anything");
    desk.fails(&elsewhere, Some(&server.authority), (6, "tls"), "for another host name");
    // The pool must not be what finds out: `import` connects by itself.
    let keys = desk.folder.path().join("keys");
    fs::create_dir(&keys).unwrap();
    fs::write(keys.join("0"), "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
    let import = [
        "import",
        "keystone",
        "--from",
        &url,
        "--key-repository",
        "keys",
        "--dry-run",
        "--format",
        "json",
    ];
    let refused = desk.run("sqlite://strongroom.db?mode=rwc", None, &import).expect(6);
    assert_eq!(refused.json()["error"]["code"], "tls");
}

fn an_authority_is_asked_on_loopback_too(engine: Engine) {
    let (server, desk) = (TlsServer::of(engine), Desk::new());
    let url = server.url_at(server.on_loopback(), "careful", "anything");
    desk.fails(&url, Some(&server.authority), (6, "tls"), "for another host name");
    desk.fails(
        &format!("{url}?sslmode=prefer"),
        Some(&server.authority),
        (4, "insecure_address"),
        "sslmode=prefer",
    );
    let answered = desk.run(&url, None, &["migrate", "status", "--format", "json"]).expect(6);
    assert_eq!(
        answered.json()["error"]["code"],
        "database_missing",
        "without an authority the server is asked"
    );
}

fn the_loud_flag_allows_plaintext_and_says_so(engine: Engine) {
    let (server, desk, name) = (TlsServer::of(engine), Desk::new(), TlsServer::new_name());
    desk.run(&server.url(&name), Some(&server.authority), &["init"]).expect(0);
    let in_the_clear = format!("{}?sslmode=disable", server.careless_url(&name));
    desk.fails(&in_the_clear, None, (4, "insecure_address"), "`sslmode=disable`");
    for url in [&in_the_clear, &server.careless_url(&name), &server.url(&name)] {
        let mut command = desk.command(url, None, &["migrate", "status", "--format", "json"]);
        let status = ran(command.env("STRONGROOM__DATABASE__ALLOW_INSECURE", "true")).expect(0);
        assert_eq!(status.json()["pending"], 12);
        let warnings: Vec<_> = status.err.lines().collect();
        assert!(
            matches!(warnings[..], [line] if line.contains("warning: `database.allow_insecure`")),
            "{}",
            status.err
        );
    }
    let mut command = desk.command(&in_the_clear, None, &["doctor"]);
    let doctor = ran(command.env("STRONGROOM__DATABASE__ALLOW_INSECURE", "true")).expect(3);
    assert!(
        doctor.out.contains("warn  tls             not encrypted, not verified; another host"),
        "{}",
        doctor.out
    );
    // An authority is still asked, unless the address itself says otherwise.
    let mut command =
        desk.command(&server.careless_url(&name), Some(&Authority::new()), &["migrate", "status"]);
    ran(command.env("STRONGROOM__DATABASE__ALLOW_INSECURE", "true")).expect(6);
}

/// The other engines' servers make themselves a certificate.
#[test]
fn a_server_without_tls() {
    let (desk, room) = (Desk::new(), Room::empty(Engine::Postgres));
    let (host, _) = TlsServer::of(Engine::Postgres).elsewhere();
    let url = room.url().replace("127.0.0.1", &host.to_string());
    desk.fails(&url, None, (6, "tls"), "offers no TLS");
    let mut command = desk.command(&url, None, &["migrate", "status"]);
    ran(command.env("STRONGROOM__DATABASE__ALLOW_INSECURE", "true")).expect(0);
}

/// Nothing is sent: no server is there (RFC 5737).
#[test]
fn an_address_cannot_give_up_tls() {
    let desk = Desk::new();
    for word in [
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify_ca",
        "preferred",
        "REQUIRED",
        "disabled",
    ] {
        for url in
            ["postgres://u:canary@192.0.2.1/d?sslmode", "mysql://u:canary@192.0.2.1/d?ssl-mode"]
        {
            desk.fails(
                &format!("{url}={word}"),
                None,
                (4, "insecure_address"),
                &format!("mode={word}`"),
            );
        }
    }
    let hidden = "postgres://u@localhost/d?host=192.0.2.1&sslmode=verify-full&sslmode=prefer";
    desk.fails(hidden, None, (4, "insecure_address"), "sslmode=prefer");
    desk.run("mysql://u:canary@192.0.2.1/d?sslmode=canary", None, &["migrate", "status"]).expect(2);
}

#[test]
fn authorities_that_cannot_be_used() {
    let desk = Desk::new();
    let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    desk.file("empty.pem", "");
    desk.file("words.pem", "no certificate");
    desk.file("broken.pem", broken);
    desk.file("second.pem", &format!("{}{broken}", Authority::new().pem));
    for file in ["missing.pem", "empty.pem", "words.pem", "broken.pem", "second.pem"] {
        let mut command = desk.command(
            "postgres://u@192.0.2.1/d",
            None,
            &["migrate", "status", "--format", "json"],
        );
        let refused = ran(command.env("STRONGROOM__DATABASE__CA_FILE", file)).expect(2);
        let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("database.ca_file") && message.contains(file), "{message}");
    }
}
