//! Descriptions of responses that many routes have, for `#[utoipa::path(responses(…))]`.
//!
//! A package says 404 in its own words:
//!
//! ```
//! use strongroom_api::responses::{Described, problem};
//!
//! struct NoSuchSecret;
//!
//! impl utoipa::IntoResponses for NoSuchSecret {
//!     fn responses() -> Described {
//!         Described::from([("404".to_owned(), problem("There is no such secret"))])
//!     }
//! }
//! ```

use std::collections::BTreeMap;

use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

/// Responses by status.
pub type Described = BTreeMap<String, RefOr<Response>>;

/// What every route may answer that asks who calls.
pub struct Refusals;
/// The same in Keystone's shape.
pub struct KeystoneRefusals;

/// An error as Keystone's clients read it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `ErrorShape::keystone` makes")]
pub(super) struct KeystoneError {
    error: KeystoneErrorBody,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `ErrorShape::keystone` makes")]
pub(super) struct KeystoneErrorBody {
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

impl IntoResponses for Refusals {
    fn responses() -> Described {
        refusals(problem)
    }
}

impl IntoResponses for KeystoneRefusals {
    fn responses() -> Described {
        refusals(keystone)
    }
}

/// Describes what every route may answer that asks who calls, each response as `described` does it. For a package whose errors
/// have another shape.
pub fn refusals(described: impl Fn(&str) -> RefOr<Response>) -> Described {
    COMMON.iter().map(|(status, what)| ((*status).to_owned(), described(what))).collect()
}

/// Describes a response with a problem document.
pub fn problem(what: &str) -> RefOr<Response> {
    with_schema(what, "application/problem+json", "Problem")
}

/// Describes a response in Keystone's shape.
pub fn keystone(what: &str) -> RefOr<Response> {
    with_schema(what, "application/json", "KeystoneError")
}

/// Describes a response by its media type and the name of its schema, which must be among the package's components.
pub fn with_schema(what: &str, media_type: &str, schema: &str) -> RefOr<Response> {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name(schema))));
    ResponseBuilder::new().description(what).content(media_type, content).build().into()
}
