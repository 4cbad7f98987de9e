//! The root key: whether its source yields one.

use super::check::Check;
use crate::cli::failure::Failure;
use crate::cli::session::Session;

/// Fetching it is the check: the source refuses a key that is missing, weak or open to others.
pub(super) async fn source(session: &Session) -> Check {
    match root_id(session).await {
        Ok(id) => Check::ok("key", format!("{}: root {id}", name(session))),
        Err(failure) => Check::failed("key", failure),
    }
}

/// The id stands in the manifest and gives nothing away.
async fn root_id(session: &Session) -> Result<String, Failure> {
    Ok(hex::encode(session.config.key_source()?.root().await?.id()))
}

fn name(session: &Session) -> String {
    if session.config.has_key_file() {
        format!("file {}, closed to others", session.config.key_path().display())
    } else {
        "environment".to_owned()
    }
}
