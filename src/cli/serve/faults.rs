//! Collects all faults that prevent the start, for one message.

use super::{require_schema, settings};
use crate::config;
use crate::failure::Failure;
use crate::session::Session;
use strongroom_api::{Reloading, ServerError};

/// Returns one failure that names the first fault and all others.
pub(super) async fn with_the_rest(
    first: Failure,
    wanted: &super::Serve,
    session: &Session,
) -> Failure {
    let mut all = vec![first];
    for failure in found(wanted, session).await {
        if !all.iter().any(|known| known.message == failure.message) {
            all.push(failure);
        }
    }
    together(all)
}

async fn found(wanted: &super::Serve, session: &Session) -> Vec<Failure> {
    let server = session.config.server();
    let mut found = Vec::new();
    found.extend(settings(wanted, server).err());
    if server.tls {
        found.extend(files(server));
    }
    found.extend(session.roots().await.err());
    found.extend(require_schema(session).await.err());
    found
}

fn files(server: &config::Server) -> Vec<Failure> {
    let files = super::tls_files(server);
    let faults = files.unreadable();
    // Only readable files can be compared.
    let faults =
        if faults.is_empty() { Reloading::load(files).err().into_iter().collect() } else { faults };
    faults.into_iter().map(|fault| ServerError::from(fault).into()).collect()
}

/// Joins failures. The first one gives the exit code.
fn together(mut all: Vec<Failure>) -> Failure {
    if all.len() == 1 {
        return all.remove(0);
    }
    let count = all.len();
    let messages: Vec<_> = all.iter().map(|failure| failure.message.as_str()).collect();
    let message = format!("{count} things keep the service from starting: {}", messages.join("; "));
    let mut helps: Vec<&str> = Vec::new();
    for help in all.iter().filter_map(|failure| failure.help.as_deref()) {
        if !helps.contains(&help) {
            helps.push(help);
        }
    }
    let help = helps.join("; ");
    let first = all.swap_remove(0);
    Failure::new(first.exit, "not_ready_to_start", message).help(help)
}
