//! Answers that end their connection.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::problem::Problem;

/// What is left of the body would be taken for the next request.
pub(super) fn last_answer(problem: Problem) -> Response {
    last(problem.into_response())
}

pub(super) fn last(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
