//! What orchestrators and Prometheus ask.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::finding::Finding;
use crate::service::Service;

/// The process answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    status: &'static str,
}

/// Whether the process answers; needs no certificate
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It does", body = Alive)))]
pub(super) async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// What was looked at.
#[derive(Serialize, ToSchema)]
pub(super) struct Ready {
    /// Whether requests can be answered.
    ready: bool,
    /// What was looked at, and how it is.
    checks: Vec<Finding>,
}

/// Whether requests can be answered; needs no certificate
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, description = "They can", body = Ready), (status = 503, description = "They cannot", body = Ready)))]
pub(super) async fn ready(State(service): State<Arc<Service>>) -> (StatusCode, Json<Ready>) {
    let checks = service.look().await;
    let ready = checks.iter().all(|check| check.ok);
    (
        if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE },
        Json(Ready { ready, checks }),
    )
}

/// Counters, in Prometheus' text format; for any component
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, description = "The counters", body = String, content_type = "application/openmetrics-text"), crate::routes::document::Refusals))]
pub(super) async fn metrics(State(service): State<Arc<Service>>, _: Caller) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], service.metrics.text(service.gates.waiting())).into_response()
}
