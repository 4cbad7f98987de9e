//! Sends slow bodies on many HTTP/2 streams: the bytes in memory stay bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Frame};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::service_wire::config;
use crate::support::{Engine, Room, Service, block_on, numbered_rows, until};

const STREAMS: usize = 60;
/// Of each body, before it stops.
const SENT: usize = 120 << 10;

/// A body that never ends: so many bytes, and then nothing.
struct Slow {
    left: usize,
    sent: Arc<AtomicUsize>,
}

impl hyper::body::Body for Slow {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return std::task::Poll::Pending;
        }
        let size = self.left.min(8 << 10);
        self.left -= size;
        self.sent.fetch_add(size, Ordering::Relaxed);
        std::task::Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b' '; size])))))
    }
}

/// The statuses of all streams.
async fn flood(service: &Service, component: &str) -> Vec<u16> {
    let mut client = config(&service.certificates, Some(component));
    client.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(service.url.trim_start_matches("https://")).await.unwrap();
    let stream = TlsConnector::from(Arc::new(client))
        .connect("localhost".try_into().unwrap(), stream)
        .await
        .unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let sent = Arc::new(AtomicUsize::new(0));
    let asked = (0..STREAMS).map(|_| {
        let (mut sender, sent) = (sender.clone(), sent.clone());
        tokio::spawn(async move {
            let request = hyper::Request::post("https://localhost/v1/credentials")
                .header("content-type", "application/json");
            let answer = sender
                .send_request(request.body(Slow { left: SENT, sent }).unwrap())
                .await
                .unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let code = serde_json::from_slice::<serde_json::Value>(&body).unwrap()["code"]
                .as_str()
                .unwrap()
                .to_owned();
            assert_eq!(code, if status == 408 { "too_slow" } else { "bodies_full" });
            status
        })
    });
    let mut statuses = Vec::new();
    for one in asked.collect::<Vec<_>>() {
        statuses.push(one.await.unwrap());
    }
    println!("{} bytes sent", sent.load(Ordering::Relaxed));
    statuses
}

#[test]
fn slow_bodies_of_one_component_take_up_its_budget_and_no_more() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    let service = room.serve("max_component_bodies_bytes = 1048576\nmax_bodies_bytes = 4194304\n");
    let statuses = std::thread::scope(|scope| {
        let flooded = scope.spawn(|| block_on(flood(&service, "api")));
        until("api's budget is used up", || service.log().contains("code=\"bodies_full\""));
        // The budget of `api` is used up; another component still gets answers.
        let begun = std::time::Instant::now();
        service
            .caller("compute")
            .post("/v1/credentials/find", &json!({ "access": "nothing" }))
            .expect(404);
        assert!(begun.elapsed() < Duration::from_secs(5));
        flooded.join().unwrap()
    });
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    // A mebibyte holds eight of these bodies. All others are refused.
    assert!(
        (6..=8).contains(&count(408)) && count(429) >= 20 && count(408) + count(429) == STREAMS,
        "{statuses:?}"
    );
    let refused = |code: &str| {
        let log = service.log();
        let line = |line: &&str| line.contains("strongroom::access") && line.contains(code);
        log.lines().filter(line).filter(|line| line.contains("component=\"api\"")).count()
    };
    until("the component stands in the log, though its body was not read", || {
        (refused("code=\"too_slow\""), refused("code=\"bodies_full\"")) == (count(408), count(429))
    });
    service.caller("api").post("/v1/credentials", &json!({ "user_id": "u" })).expect(201);
}
