//! The description of the API, made from the code that answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;
use utoipa::openapi::{
    ComponentsBuilder, Content, Info, License, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr,
    Response, ResponseBuilder,
};
use utoipa::{IntoResponses, ToSchema};

use super::page;
use crate::problem::Problem;
use crate::service::Service;

/// What is said about the whole.
pub(super) fn head() -> OpenApi {
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

/// An error as Keystone's clients read it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `in_keystones_shape` makes")]
struct KeystoneError {
    error: KeystoneErrorBody,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `in_keystones_shape` makes")]
struct KeystoneErrorBody {
    /// The HTTP status.
    code: u16,
    /// The status in words.
    title: String,
    /// What a person is told.
    message: String,
    /// A word that programs can rely on.
    reason: String,
    /// What refused it, of a refusal.
    barrier: Option<String>,
}

/// `/openapi.json` and its page; neither needs a certificate.
pub(super) fn routes(description: &OpenApi) -> Router<Arc<Service>> {
    let json = Bytes::from(description.to_json().unwrap_or_default());
    let page = Bytes::from(page::render(&serde_json::from_slice(&json).unwrap_or_default()));
    Router::new()
        .route(
            "/openapi.json",
            get(move || async move {
                ([(header::CONTENT_TYPE, "application/json")], json).into_response()
            }),
        )
        .route("/docs", get(move || async move { page::response(page) }))
}

/// What every route may answer that asks who calls.
pub(crate) struct Refusals;
/// The same in Keystone's shape.
pub(crate) struct KeystoneRefusals;
/// There is no such thing.
pub(crate) struct NotFound;
/// The same in Keystone's shape.
pub(crate) struct KeystoneNotFound;

const COMMON: [(&str, &str); 12] = [
    ("400", "The request is malformed; `detail` names the member or parameter that is wrong"),
    (
        "401",
        "No client certificate, or one that names no component; or a signature that does not verify",
    ),
    ("403", "The component may not: `barrier` says what refused it"),
    ("408", "The request took too long to arrive"),
    ("409", "It is there already, or the schema is another"),
    ("413", "The body is too long"),
    ("415", "The body is not application/json"),
    (
        "429",
        "Too many requests of this component wait, or their bodies take up its memory; Retry-After says when to come back",
    ),
    ("431", "The headers are too many or too long"),
    ("500", "The service failed, or a row does not open"),
    (
        "503",
        "The database or the component's pool is busy or away; Retry-After says when to come back",
    ),
    ("405", "The path does not take this method"),
];

type Described = BTreeMap<String, RefOr<Response>>;

impl IntoResponses for Refusals {
    fn responses() -> Described {
        COMMON.iter().map(|(status, what)| ((*status).to_owned(), problem(what))).collect()
    }
}

impl IntoResponses for KeystoneRefusals {
    fn responses() -> Described {
        COMMON.iter().map(|(status, what)| ((*status).to_owned(), keystone(what))).collect()
    }
}

impl IntoResponses for NotFound {
    fn responses() -> Described {
        BTreeMap::from([("404".to_owned(), problem("There is no such credential"))])
    }
}

impl IntoResponses for KeystoneNotFound {
    fn responses() -> Described {
        BTreeMap::from([("404".to_owned(), keystone("There is no such credential"))])
    }
}

fn problem(what: &str) -> RefOr<Response> {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    ResponseBuilder::new()
        .description(what)
        .content("application/problem+json", content)
        .build()
        .into()
}

fn keystone(what: &str) -> RefOr<Response> {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("KeystoneError"))));
    ResponseBuilder::new().description(what).content("application/json", content).build().into()
}
