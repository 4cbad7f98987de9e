//! Parts of the path from callers.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;

use super::problem::Problem;

/// The parts of a path, as a handler gets them: `PathOf<String>`, or `PathOf<(String, String)>`.
pub type PathOf<T> = Result<Path<T>, PathRejection>;

/// Returns the parts, or 404 with `there is no such …`: columns hold no NUL, and PostgreSQL refuses to look for one.
pub fn parts<T: Segments>(given: PathOf<T>, what: &str) -> Result<T, Problem> {
    match given {
        Ok(Path(parts)) if parts.all().into_iter().all(|part| !part.contains('\0')) => Ok(parts),
        _ => Err(Problem::not_found(what)),
    }
}

/// One segment, or two.
pub trait Segments {
    /// Returns each segment.
    fn all(&self) -> Vec<&str>;
}

impl Segments for String {
    fn all(&self) -> Vec<&str> {
        vec![self]
    }
}

impl Segments for (String, String) {
    fn all(&self) -> Vec<&str> {
        vec![&self.0, &self.1]
    }
}
