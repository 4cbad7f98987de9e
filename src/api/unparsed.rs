//! Answers and logs bytes that hyper cannot parse as a request, like every other error.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;

use super::exchange::Words;
use super::problem::Problem;
use super::request_id::{AccessLine, HEADER, RequestId};
use super::service::Service;

/// Returns a function that makes and logs problem documents for a connection.
pub(super) fn words(service: Arc<Service>, component: Option<String>, from: SocketAddr) -> Words {
    Box::new(move |status| {
        let (problem, id) = (problem(status), RequestId::default());
        let line = AccessLine {
            id: &id,
            component: component.as_deref(),
            from: Some(from),
            method: None,
            route: None,
            path: None,
            status,
            code: Some(problem.code()),
            took: Duration::ZERO,
        };
        line.write(&service);
        let headers = format!(
            "content-type: application/problem+json\r\ncache-control: no-store\r\n{HEADER}: {id}\r\n"
        );
        (serde_json::to_vec(&problem).unwrap_or_default(), headers)
    })
}

fn problem(status: StatusCode) -> Problem {
    let (code, detail) = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            ("headers_too_large", "the headers are too many or too long")
        }
        StatusCode::URI_TOO_LONG => ("uri_too_long", "the target of the request is too long"),
        _ => ("malformed", "this is no request that HTTP/1.1 allows"),
    };
    Problem::new(status, code, detail)
}
