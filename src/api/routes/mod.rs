//! The built-in routes, one file a resource. What each takes and answers stands in the code, and `/openapi.json` is made from it.

mod credential;
mod database_login;
mod document;
mod ec2_credential;
mod fallback;
mod health;
mod no_credential;
mod page;
mod signature;
mod status;

pub(super) use document::{PATHS as DESCRIPTION, head, routes as description};
pub(super) use fallback::{no_such_method, nothing_here};
pub(super) use health::Core;

use super::extension::Routes;

/// Returns the built-in packages: credentials, signatures, database logins and status.
pub fn built_in() -> Vec<Box<dyn Routes>> {
    vec![
        Box::new(credential::Credentials),
        Box::new(ec2_credential::Ec2Credentials),
        Box::new(signature::Signatures),
        Box::new(database_login::DatabaseLogins),
        Box::new(status::States),
    ]
}
