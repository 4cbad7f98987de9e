//! Bounds on a request: its size, its pace, and what becomes of one that panics.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::problem::Problem;
use super::settings::Limits;

/// The same routes, within these limits.
pub(super) fn within<S: Clone + Send + Sync + 'static>(router: Router<S>, limits: &Limits) -> Router<S> {
    let whole = limits.request;
    router
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .layer(RequestBodyTimeoutLayer::new(limits.body))
        .layer(from_fn(move |request: Request, next: Next| in_time(whole, request, next)))
        .layer(CatchPanicLayer::custom(panicked))
}

async fn in_time(whole: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(whole, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("the request was not done within {} s", whole.as_secs());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_long", detail).retry_after(1).into_response()
        }
    }
}

/// The panic's own text may hold anything.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the request failed; the service's log says why").into_response()
}
