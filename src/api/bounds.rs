//! Bounds on a request: its size, its pace, and what becomes of one whose caller does not wait, or that panics.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::body_budget::{FULL, HeldBytes};
use super::last_answer::{last, last_answer};
use super::peer::Peer;
use super::problem::Problem;
use super::refusal::{NOT_PRIMARY, Refusal};
use super::request_id::Named;
use super::service::Service;
use super::settings::Limits;
use super::well_formed;

/// The same routes, within these limits.
pub(super) fn within(router: Router<Arc<Service>>, service: &Arc<Service>) -> Router<Arc<Service>> {
    let limits = service.settings.limits;
    router
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(service.clone(), to_its_end))
        .layer(from_fn_with_state(service.clone(), with_its_body))
        .layer(from_fn(move |request: Request, next: Next| {
            well_formed::require(limits, request, next)
        }))
}

/// Takes the whole body in before anything else: a client that dawdles holds none of its component's connections, and one
/// that is refused finds the connection as it should be for its next request. The component is known before, so the bytes
/// count against its budget, and a body that is refused is logged with it.
async fn with_its_body(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut head, body) = request.into_parts();
    let Some(component) = component(&service, &head) else {
        // Strangers get their refusal, or health, without anything of theirs being kept.
        let has_body = head.headers.contains_key(header::CONTENT_LENGTH)
            || head.headers.contains_key(header::TRANSFER_ENCODING);
        let response = next.run(Request::from_parts(head, Body::empty())).await;
        return if has_body { last(response) } else { response };
    };
    head.extensions.get::<Named>().inspect(|named| named.set(&component));
    let limits = &service.settings.limits;
    if said_length(&head.headers).is_some_and(|length| length > limits.body_bytes) {
        return last_answer(too_long(limits));
    }
    let mut budgeted = service.bodies.begin(&component);
    let body = match tokio::time::timeout(limits.body, whole(body, limits, &mut budgeted)).await {
        Ok(Ok(body)) => body,
        Ok(Err(problem)) => {
            if problem.code() == FULL {
                service.metrics.turned_away(&component);
            }
            return last_answer(problem);
        }
        Err(_) => {
            let detail = "the request took too long to arrive";
            return last_answer(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail));
        }
    };
    head.extensions.insert(Arc::new(budgeted));
    next.run(Request::from_parts(head, taken(body))).await
}

/// The component that asks, if the policy has it.
fn component(service: &Service, head: &Parts) -> Option<String> {
    let peer = head.extensions.get::<Peer>()?;
    let identity = peer.identity().ok()?;
    service.knows(&identity.component).then(|| identity.component.clone())
}

async fn whole(body: Body, limits: &Limits, held: &mut HeldBytes) -> Result<Bytes, Problem> {
    let (mut frames, mut whole) = (Limited::new(body, limits.body_bytes), Vec::new());
    while let Some(frame) = frames.frame().await {
        let frame = frame.map_err(|error| {
            let is_long = error.is::<LengthLimitError>();
            if is_long {
                too_long(limits)
            } else {
                Problem::malformed("the body could not be read")
            }
        })?;
        if let Ok(bytes) = frame.into_data() {
            held.grow(bytes.len())?;
            whole.extend_from_slice(&bytes);
        }
    }
    Ok(whole.into())
}

fn said_length(headers: &HeaderMap) -> Option<usize> {
    let text = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    // One that does not fit is longer than anything.
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().unwrap_or(usize::MAX))
}

fn too_long(limits: &Limits) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        format!("the body is longer than {} bytes", limits.body_bytes),
    )
}

fn taken(body: Bytes) -> Body {
    if body.is_empty() { Body::empty() } else { Body::from(body) }
}

/// Does the work in a task of its own. A caller that hangs up, or that has waited long enough, ends its answer and not the
/// work: a change without its audit row would be left, and a database that counts connections that were given up (MySQL's
/// `max_connect_errors`) would shut everybody out. The work itself is bounded by the timeouts of pool, statements and audit rows.
async fn to_its_end(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let under_way = service.under_way().await;
    // The bytes of the body count for as long as the work may need them.
    let held = request.extensions().get::<Arc<HeldBytes>>().cloned();
    let components = service.components.clone();
    let work = tokio::spawn(async move {
        let response = next.run(request).await;
        let problem = response.extensions().get::<Problem>();
        if problem.is_some_and(|problem| problem.code() == NOT_PRIMARY) {
            components.drop_sessions();
        }
        drop((under_way, held));
        response
    });
    let whole = service.settings.limits.request;
    match tokio::time::timeout(whole, work).await {
        Ok(Ok(response)) => response,
        // A panic's own text may hold anything.
        Ok(Err(_)) => Refusal::internal(&"a request panicked").problem.into_response(),
        Err(_) => {
            let detail = format!(
                "the request was not done within {} s; it may be done yet",
                whole.as_secs()
            );
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_long", detail)
                .retry_after(1)
                .into_response()
        }
    }
}
