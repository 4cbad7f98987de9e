//! Answers where there is no route.

use axum::http::{StatusCode, Uri};

use crate::problem::Problem;
use crate::shown_path;

pub(crate) async fn nothing_here(target: Uri) -> Problem {
    let path = shown_path::shown(target.path());
    let detail = format!("there is nothing at `{path}`; /openapi.json says what there is");
    Problem::new(StatusCode::NOT_FOUND, "no_route", detail)
}

pub(crate) async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no_method", "this path does not take this method")
}
