//! Accepts TLS handshakes, describes failures for the log and sends alerts to clients.

use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::problem::Problem;

/// Time for reading from a refused client, so that it receives the alert and not a reset.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 64 << 10;
/// The first byte of every TLS connection: a record of the handshake (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// Accepts the handshake. After a failure, answers the client and returns the reason for the log.
pub(super) async fn accept(
    acceptor: TlsAcceptor,
    mut stream: TcpStream,
    patience: Duration,
) -> Result<TlsStream<TcpStream>, String> {
    let too_slow = || format!("it was not finished within {} s", patience.as_secs());
    let begun = tokio::time::Instant::now();
    match timeout(patience, speaks_http(&stream)).await.map_err(|_| too_slow())? {
        Err(error) => return Err(words(&error)),
        Ok(true) => {
            let _ = stream.write_all(&plain_answer()).await;
            give_up(stream).await;
            return Err("the client spoke plain HTTP".to_owned());
        }
        Ok(false) => {}
    }
    let left = patience.saturating_sub(begun.elapsed());
    match timeout(left, acceptor.accept(stream).into_fallible()).await.map_err(|_| too_slow())? {
        Ok(stream) => Ok(stream),
        Err((error, stream)) => {
            give_up(stream).await;
            Err(words(&error))
        }
    }
}

/// Shuts the connection down, and reads remaining bytes for a moment. A socket that is closed with unread bytes sends a reset,
/// and the client may lose the answer.
pub(super) async fn give_up(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let rest = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await
    };
    let _ = timeout(LINGER, rest).await;
}

/// Whether the first byte is a letter, as in `GET`.
async fn speaks_http(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [HANDSHAKE_RECORD];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first.iter().all(u8::is_ascii_alphabetic)),
    }
}

fn plain_answer() -> Vec<u8> {
    let problem = Problem::malformed("this port speaks TLS: use https:// in place of http://");
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncache-control: no-store\r\ncontent-type: application/problem+json\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Describes a failure for an operator.
fn words(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => words_of_tls(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the client hung up before its end".to_owned()
        }
        None if error.kind() == io::ErrorKind::ConnectionReset => {
            "the client reset the connection before its end".to_owned()
        }
        None => error.to_string(),
    }
}

fn words_of_tls(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(reason) => words_of_certificate(reason),
        Error::NoCertificatesPresented => "the client gave no certificate".to_owned(),
        Error::AlertReceived(alert) => words_of_alert(*alert),
        Error::PeerIncompatible(reason) => {
            let versions = matches!(
                reason,
                PeerIncompatible::Tls12NotOffered | PeerIncompatible::Tls12NotOfferedOrEnabled
            );
            let what = if versions {
                "no TLS version from 1.2 on"
            } else {
                "no protocol version or cipher suite of this service"
            };
            format!("the client offers {what} ({reason:?})")
        }
        Error::InvalidMessage(_) => "the client did not speak TLS".to_owned(),
        Error::InvalidCertRevocationList(_) => {
            "the revocation list in `server.client_crl` cannot be used".to_owned()
        }
        error => error.to_string(),
    }
}

fn words_of_certificate(reason: &CertificateError) -> String {
    let what = match reason {
        CertificateError::UnknownIssuer => "is signed by no authority in `server.client_ca`",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; compare the clocks"
        }
        CertificateError::Revoked => "was revoked",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not for clients: its extended key usage has no clientAuth"
        }
        CertificateError::UnknownRevocationStatus => {
            "has an authority without a list in `server.client_crl`"
        }
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            "cannot be checked: the list in `server.client_crl` has expired"
        }
        CertificateError::BadSignature => "has a bad signature",
        CertificateError::BadEncoding => "cannot be read",
        reason => return format!("the client's certificate is refused: {reason}"),
    };
    format!("the client's certificate {what}")
}

fn words_of_alert(alert: AlertDescription) -> String {
    let why = match alert {
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown => "it does not trust the service's certificate",
        AlertDescription::CertificateExpired => "to it the service's certificate has expired",
        AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion => {
            "it speaks no TLS version of this service"
        }
        _ => "it gives no other reason",
    };
    format!("the client refused, with the alert {alert:?}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_in_words() {
        let told = |error: Error| words(&io::Error::new(io::ErrorKind::InvalidData, error));
        for (error, wanted) in [
            (
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
                "signed by no authority in `server.client_ca`",
            ),
            (Error::InvalidCertificate(CertificateError::Revoked), "was revoked"),
            (Error::InvalidCertificate(CertificateError::UnhandledCriticalExtension), "is refused"),
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                "alert UnknownCA: it does not trust the service's certificate",
            ),
            (
                Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered),
                "no TLS version from 1.2 on",
            ),
            (
                Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                "did not speak TLS",
            ),
            (Error::NoCertificatesPresented, "gave no certificate"),
        ] {
            assert!(told(error.clone()).contains(wanted), "{}", told(error));
        }
        assert_eq!(
            words(&io::ErrorKind::UnexpectedEof.into()),
            "the client hung up before its end"
        );
    }

    #[test]
    fn plain_http_is_answered_in_plain_http() {
        let answer = String::from_utf8(plain_answer()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}", body.len())) && body.contains("https://"),
            "{answer}"
        );
    }
}
