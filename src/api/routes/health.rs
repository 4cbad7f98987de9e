//! What orchestrators and Prometheus ask.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use strongroom::audit::{Action, Barrier};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access_row::AccessRow;
use crate::caller::Caller;
use crate::extension::Routes;
use crate::finding::Finding;
use crate::service::Service;

/// The part of every service.
pub(crate) struct Core;

impl Routes for Core {
    fn package(&self) -> &'static str {
        "service"
    }

    fn routes(&self) -> OpenApiRouter<Arc<Service>> {
        OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics))
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::ENTER]
    }

    fn barriers(&self) -> &'static [Barrier] {
        &[Barrier::IDENTITY, Barrier::POLICY, Barrier::KEYS, Barrier::DATABASE]
    }

    /// Every component may ask for the metrics, and everybody for the rest.
    fn access(&self) -> &'static [AccessRow] {
        &[]
    }
}

/// The process answers.
#[derive(Serialize, ToSchema)]
struct Alive {
    status: &'static str,
}

/// Whether the process answers; needs no certificate
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It does", body = Alive)))]
async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// What was looked at.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// Whether requests can be answered.
    ready: bool,
    /// What was looked at, and how it is.
    checks: Vec<Finding>,
}

/// Whether requests can be answered; needs no certificate
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, description = "They can", body = Ready), (status = 503, description = "They cannot", body = Ready)))]
async fn ready(State(service): State<Arc<Service>>) -> (StatusCode, Json<Ready>) {
    let checks = service.look().await;
    let ready = checks.iter().all(|check| check.ok);
    (
        if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE },
        Json(Ready { ready, checks }),
    )
}

/// Counters, in Prometheus' text format; for any component
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, description = "The counters", body = String, content_type = "application/openmetrics-text"), crate::responses::Refusals))]
async fn metrics(State(service): State<Arc<Service>>, _: Caller) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], service.metrics.text(service.gates.waiting())).into_response()
}
