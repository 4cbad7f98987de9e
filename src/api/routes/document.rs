//! The description of the API, made from the code that answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;
use utoipa::openapi::{ComponentsBuilder, Info, License, OpenApi, OpenApiBuilder, PathsBuilder};

use super::page;
use crate::problem::Problem;
use crate::responses::{KeystoneError, KeystoneErrorBody};
use crate::service::Service;

/// What is said about the whole.
pub(crate) fn head() -> OpenApi {
    let mut info = Info::new("Strongroom", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Every caller is a component, known by its client certificate, and is answered through that component's own database \
         login: what the login may not do is refused by the database, with 403 and a reason. Errors are problem documents \
         (RFC 9457); on the routes under /v3 they have Keystone's shape."
            .to_owned(),
    );
    info.license = Some(License::new("Apache-2.0 OR MIT"));
    let errors = ComponentsBuilder::new()
        .schema_from::<Problem>()
        .schema_from::<KeystoneError>()
        .schema_from::<KeystoneErrorBody>()
        .build();
    OpenApiBuilder::new().info(info).paths(PathsBuilder::new()).components(Some(errors)).build()
}

/// The paths of [`routes`].
pub(crate) const PATHS: [&str; 2] = ["/openapi.json", "/docs"];

/// `/openapi.json` and its page; neither needs a certificate.
pub(crate) fn routes(description: &OpenApi, tags: &[String]) -> Router<Arc<Service>> {
    let json = Bytes::from(description.to_json().unwrap_or_default());
    let page = Bytes::from(page::render(&serde_json::from_slice(&json).unwrap_or_default(), tags));
    Router::new()
        .route(
            "/openapi.json",
            get(move || async move {
                ([(header::CONTENT_TYPE, "application/json")], json).into_response()
            }),
        )
        .route("/docs", get(move || async move { page::response(page) }))
}
