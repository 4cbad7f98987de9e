//! Which service answers at a server's address, when the engine's own protocol leads nowhere.
//!
//! MySQL, MariaDB and SSH greet first; PostgreSQL answers a request for TLS with one letter; HTTP answers a request
//! that it does not understand. Sends no login.

use std::time::Duration;

use sea_orm::DbBackend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Another service answers where a database server was expected.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{found} answers at this host and port, and the address asks for {wanted}")]
pub(in crate::db) struct OtherService {
    wanted: &'static str,
    found: &'static str,
}

/// Looks who answers; `None` when it is the engine that was asked for, or cannot be told.
pub(super) async fn other_service(
    engine: DbBackend,
    host: &str,
    port: u16,
) -> Option<OtherService> {
    let wanted = if engine == DbBackend::MySql { MYSQL } else { POSTGRES };
    let found = service(host, port).await?;
    (found != wanted).then_some(OtherService { wanted, found })
}

const MYSQL: &str = "MySQL or MariaDB";
const POSTGRES: &str = "PostgreSQL";
const HTTP: &str = "an HTTP server";
/// A greeting comes at once; each look is short, so that nobody waits for it.
const LOOK: Duration = Duration::from_millis(250);
/// `SSLRequest` of PostgreSQL's protocol: its length, and its code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The same before a driver speaks PostgreSQL's protocol in plaintext: it panics on some greetings. One round trip where
/// PostgreSQL is there.
#[cfg(feature = "postgres")]
pub(super) async fn greeting_service(host: &str, port: u16) -> Option<OtherService> {
    let mut stream = connect(host, port).await?;
    stream.write_all(&SSL_REQUEST).await.ok()?;
    let found = match read(&mut stream).await.as_slice() {
        [] | [b'S' | b'N'] | [b'E', 0, ..] => return None,
        greeting => of_greeting(greeting),
    };
    Some(OtherService { wanted: POSTGRES, found })
}

async fn service(host: &str, port: u16) -> Option<&'static str> {
    let mut stream = connect(host, port).await?;
    let greeting = read(&mut stream).await;
    if !greeting.is_empty() {
        return Some(of_greeting(&greeting));
    }
    stream.write_all(&SSL_REQUEST).await.ok()?;
    match read(&mut stream).await.as_slice() {
        [b'S' | b'N'] | [b'E', 0, ..] => Some(POSTGRES),
        answer if answer.starts_with(b"HTTP/") => Some(HTTP),
        _ => answers_http(host, port).await.then_some(HTTP),
    }
}

/// A server of MySQL's protocol sends packet 0: version 10 of the handshake, or an error.
fn of_greeting(greeting: &[u8]) -> &'static str {
    match greeting {
        [_, _, _, 0, 10 | 255, ..] => MYSQL,
        greeting if greeting.starts_with(b"SSH-") => "an SSH server",
        greeting if greeting.starts_with(b"HTTP/") => HTTP,
        _ => "another service",
    }
}

async fn answers_http(host: &str, port: u16) -> bool {
    let Some(mut stream) = connect(host, port).await else { return false };
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.is_ok()
        && read(&mut stream).await.starts_with(b"HTTP/")
}

async fn connect(host: &str, port: u16) -> Option<TcpStream> {
    timeout(LOOK, TcpStream::connect((host, port))).await.ok()?.ok()
}

/// Returns the first bytes; none when the peer says nothing.
async fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    let length = timeout(LOOK, stream.read(&mut bytes)).await.map_or(0, Result::unwrap_or_default);
    bytes.truncate(length);
    bytes
}
