//! Errors as callers see them: problem documents (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use strongroom::audit::Barrier;
use utoipa::ToSchema;

/// A problem document. `code` is a word that programs can rely on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says which problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What a person is told.
    detail: String,
    /// A word that programs can rely on.
    code: &'static str,
    /// What refused it, of a refusal: `identity`, `policy`, `keys` or `database`, or a word of the route's package.
    #[serde(skip_serializing_if = "Option::is_none")]
    barrier: Option<&'static str>,
    /// Seconds after which to try again.
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem with a word for programs and a sentence for people. No secret may stand in it.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self {
            kind: "about:blank",
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            barrier: None,
            retry_after: None,
        }
    }

    /// Returns 404, `there is no such …`.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// Returns 400 for what a caller sent.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// Adds the header `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Names what refused it. A [`super::Refusal`] does this, because its audit row names the same.
    pub(super) fn refused_by(mut self, barrier: Barrier) -> Self {
        self.barrier = Some(barrier.as_str());
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns the status in words.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Returns the sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the word that programs rely on.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the barrier of a refusal.
    pub fn barrier(&self) -> Option<&'static str> {
        self.barrier
    }

    /// Adds what goes with the problem to a response that says it in another shape.
    pub(super) fn dress(&self, mut response: Response) -> Response {
        if let Some(value) =
            self.retry_after.and_then(|seconds| HeaderValue::from_str(&seconds.to_string()).ok())
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.dress(response)
    }
}
