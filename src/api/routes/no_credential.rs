//! Descriptions of 404 where a route is about one credential.

use utoipa::IntoResponses;

use crate::responses::{Described, keystone, problem};

const WHAT: &str = "There is no such credential";

/// As a problem document.
pub(super) struct NoCredential;
/// In Keystone's shape.
pub(super) struct KeystoneNoCredential;

impl IntoResponses for NoCredential {
    fn responses() -> Described {
        Described::from([("404".to_owned(), problem(WHAT))])
    }
}

impl IntoResponses for KeystoneNoCredential {
    fn responses() -> Described {
        Described::from([("404".to_owned(), keystone(WHAT))])
    }
}
