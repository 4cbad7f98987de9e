//! Bounds on a request: its size, its pace, and what becomes of one whose caller does not wait, or that panics.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::peer::Peer;
use super::problem::Problem;
use super::refusal::Refusal;
use super::service::Service;
use super::settings::Limits;

/// The same routes, within these limits.
pub(super) fn within(router: Router<Arc<Service>>, service: &Arc<Service>) -> Router<Arc<Service>> {
    let limits = service.settings.limits;
    router
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(service.clone(), to_its_end))
        .layer(from_fn(move |request: Request, next: Next| with_its_body(limits, request, next)))
}

/// Takes the whole body in before anything else: a client that dawdles holds none of its component's connections, and one
/// that is refused finds the connection as it should be for its next request.
async fn with_its_body(limits: Limits, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let known = head.extensions.get::<Peer>().is_some_and(|peer| peer.identity().is_ok());
    if !known {
        // Strangers get their refusal, or health, without anything of theirs being kept.
        let has_body = head.headers.contains_key(header::CONTENT_LENGTH) || head.headers.contains_key(header::TRANSFER_ENCODING);
        let response = next.run(Request::from_parts(head, Body::empty())).await;
        return if has_body { last(response) } else { response };
    }
    if said_length(&head.headers).is_some_and(|length| length > limits.body_bytes) {
        return last_answer(too_long(&limits));
    }
    let body = match tokio::time::timeout(limits.body, Limited::new(body, limits.body_bytes).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return last_answer(too_long(&limits));
        }
        Ok(Err(_)) => return last_answer(Problem::malformed("the body could not be read")),
        Err(_) => {
            let detail = "the request took too long to arrive";
            return last_answer(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail));
        }
    };
    next.run(Request::from_parts(head, taken(body))).await
}

fn said_length(headers: &HeaderMap) -> Option<usize> {
    let text = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    // One that does not fit is longer than anything.
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().unwrap_or(usize::MAX))
}

fn too_long(limits: &Limits) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body is longer than {} bytes", limits.body_bytes))
}

fn taken(body: Bytes) -> Body {
    if body.is_empty() { Body::empty() } else { Body::from(body) }
}

/// What is left of the body would be taken for the next request.
fn last_answer(problem: Problem) -> Response {
    last(problem.into_response())
}

fn last(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Does the work in a task of its own. A caller that hangs up, or that has waited long enough, ends its answer and not the
/// work: a change without its audit row would be left, and a database that counts connections that were given up (MySQL's
/// `max_connect_errors`) would shut everybody out. The work itself is bounded by the timeouts of pool, statements and audit rows.
async fn to_its_end(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let under_way = service.under_way().await;
    let work = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(under_way);
        response
    });
    let whole = service.settings.limits.request;
    match tokio::time::timeout(whole, work).await {
        Ok(Ok(response)) => response,
        // A panic's own text may hold anything.
        Ok(Err(_)) => Refusal::internal(&"a request panicked").problem.into_response(),
        Err(_) => {
            let detail = format!("the request was not done within {} s; it may be done yet", whole.as_secs());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_long", detail).retry_after(1).into_response()
        }
    }
}
