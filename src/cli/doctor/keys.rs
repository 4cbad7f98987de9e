//! The root key: whether its source yields one.

use std::path::PathBuf;

use super::check::Check;
use crate::failure::Failure;
use crate::session::Session;

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
    file(session).map_or_else(
        || "environment".to_owned(),
        |path| format!("file {}, closed to others", path.display()),
    )
}

/// Where the root key lies, if it lies in a file.
pub(super) fn file(session: &Session) -> Option<PathBuf> {
    session.config.key_source().ok()?.file()
}
