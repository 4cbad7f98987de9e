//! What is no TLS, or too old a one.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::tls::test_support::{Authority, Folder};

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

/// What the acceptor says to bytes, and what it answers them.
async fn answer(bytes: &[u8]) -> (String, Vec<u8>) {
    let material = Folder::new(&Authority::new("authority")).material();
    let (near, mut far) = tokio::io::duplex(1 << 16);
    far.write_all(bytes).await.unwrap();
    let error =
        TlsAcceptor::from(material.server_config.clone()).accept(near).await.map(drop).unwrap_err();
    let mut answer = Vec::new();
    far.read_to_end(&mut answer).await.unwrap();
    (error.to_string(), answer)
}
