//! Query parameters from callers, with problem documents that name the wrong one.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::member;
use super::problem::Problem;

/// The parameters of a query. A refusal names the wrong one and omits its value, which may be a secret.
pub struct Parameters<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let deserializer = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let wrong = member::of_query(&error.path().to_string(), &error.inner().to_string());
            Problem::malformed(format!("{wrong}; /openapi.json says what this route takes"))
        })
    }
}
