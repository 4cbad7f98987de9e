//! The shape of errors, by the beginning of the path: what a package's clients read in place of problem documents.
//!
//! The outermost layer changes the shape, so that errors from before a route (an unknown path, a body that is too long, a caller
//! without a certificate) have it too.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::problem::Problem;

/// How errors look to the callers of some paths.
#[derive(Debug, Clone, Copy)]
pub struct ErrorShape {
    /// The beginnings of the paths, such as `/v1/secrets`. The longest one counts where several match.
    pub under: &'static [&'static str],
    /// Makes the JSON body. Status and headers stay as they are.
    pub body: fn(&Problem) -> Value,
}

impl ErrorShape {
    /// The shape of Keystone's errors, for the paths that begin so.
    pub const fn keystone(under: &'static [&'static str]) -> Self {
        Self { under, body: keystone }
    }

    /// Returns the length of the longest beginning that the path has.
    fn matches(&self, path: &str) -> Option<usize> {
        self.under.iter().filter(|under| path.starts_with(**under)).map(|under| under.len()).max()
    }
}

fn keystone(problem: &Problem) -> Value {
    json!({ "error": {
        "code": problem.status().as_u16(),
        "title": problem.title(),
        "message": problem.detail(),
        "reason": problem.code(),
        "barrier": problem.barrier(),
    } })
}

/// Brings errors into the shape of their path. Other responses pass.
pub(super) async fn apply(
    State(shapes): State<Arc<[ErrorShape]>>,
    request: Request,
    next: Next,
) -> Response {
    let shape = of_path(&shapes, request.uri().path());
    let response = next.run(request).await;
    let Some(shape) = shape else { return response };
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    let mut answer = (problem.status(), Json((shape.body)(&problem))).into_response();
    // Keeps the other headers: the methods that a path takes, the end of the connection.
    for (name, value) in response.headers() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
    }
    problem.dress(answer)
}

fn of_path(shapes: &[ErrorShape], path: &str) -> Option<ErrorShape> {
    let matching = shapes.iter().filter_map(|shape| Some((shape.matches(path)?, *shape)));
    matching.max_by_key(|(length, _)| *length).map(|(_, shape)| shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_of_a_path_chooses_its_shape() {
        let shape = |under, body| ErrorShape { under, body };
        let shapes = [
            shape(&["/v1/secret", "/v1/orders"], |_| json!("short")),
            shape(&["/v1/secrets"], |_| json!("long")),
        ];
        let problem = Problem::malformed("x");
        let told = |path: &str| of_path(&shapes, path).map(|shape| (shape.body)(&problem));
        assert_eq!(told("/v1/secrets/a"), Some(json!("long")));
        assert_eq!(told("/v1/secret"), Some(json!("short")));
        assert_eq!(told("/v1/orders/a"), Some(json!("short")));
        assert_eq!(told("/v1/credentials"), None);
    }
}
