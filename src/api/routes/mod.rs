//! The routes, one file a resource. What each takes and answers stands in the code, and `/openapi.json` is made from it.

mod credential;
mod database_login;
mod document;
mod ec2_credential;
mod health;
mod page;
mod signature;
mod status;

pub(super) use signature::forget_old as forget_old_signatures;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::{Problem, in_keystones_shape};
use super::service::Service;
use super::{bounds, request_id, shown_path};

/// Everything that is answered.
pub(super) fn all(service: &Arc<Service>) -> Router {
    let (router, description) = described().split_for_parts();
    let router = router
        .merge(document::routes(&description))
        .fallback(nothing_here)
        .method_not_allowed_fallback(no_such_method);
    bounds::within(router, service)
        .layer(from_fn(in_keystones_shape))
        .layer(from_fn_with_state(service.clone(), request_id::follow))
        .with_state(service.clone())
}

fn described() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(document::head())
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(credential::create, credential::list))
        .routes(routes!(credential::show, credential::remove))
        .routes(routes!(credential::find))
        .routes(routes!(signature::verify))
        .routes(routes!(database_login::show))
        .routes(routes!(status::migrations))
        .routes(routes!(status::keys))
        .routes(routes!(status::policy))
        .routes(routes!(ec2_credential::create, ec2_credential::list))
        .routes(routes!(ec2_credential::show, ec2_credential::remove))
}

async fn nothing_here(target: Uri) -> Problem {
    let path = shown_path::shown(target.path());
    let detail = format!("there is nothing at `{path}`; /openapi.json says what there is");
    Problem::new(StatusCode::NOT_FOUND, "no_route", detail)
}

async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no_method", "this path does not take this method")
}
