//! Errors as callers see them: problem documents (RFC 9457), and Keystone's shape on its routes.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// A problem document. `code` is a word that programs can rely on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Problem {
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
    /// What refused it, of a refusal: `identity`, `policy`, `keys` or `database`.
    #[serde(skip_serializing_if = "Option::is_none")]
    barrier: Option<&'static str>,
    /// Seconds after which to try again.
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
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

    pub(super) fn barrier(mut self, barrier: &'static str) -> Self {
        self.barrier = Some(barrier);
        self
    }

    pub(super) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such credential")
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// The word that programs rely on.
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn dress(&self, mut response: Response) -> Response {
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

/// The same error as Keystone's clients read it, on the paths that they ask for. Other responses pass.
pub(super) async fn in_keystones_shape(request: Request, next: Next) -> Response {
    let is_keystones = request.uri().path().starts_with("/v3");
    let response = next.run(request).await;
    if !is_keystones {
        return response;
    }
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    let Problem { title, status, detail, code, barrier, .. } = &problem;
    let error = json!({ "error": { "code": status, "title": title, "message": detail, "reason": code, "barrier": barrier } });
    let mut shaped = (problem.status(), Json(error)).into_response();
    // What was said beside the body is said still: methods that there are, that the connection ends.
    for (name, value) in response.headers() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            shaped.headers_mut().insert(name.clone(), value.clone());
        }
    }
    problem.dress(shaped)
}
