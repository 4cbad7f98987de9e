//! `strongroom doctor`: everything that can be wrong, each on a line of its own. Writes nothing.

mod cells;
mod check;
mod files;
mod keys;
mod policy;
mod schema;
mod server;
#[cfg(feature = "serve")]
mod service;
mod surroundings;
mod way;

use std::path::Path;

use serde_json::json;

use self::check::{Check, Checks};
use super::epoch;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use crate::db::Access;

/// One bad check does not keep the rest from being looked at, unless they depend on it.
pub(super) async fn run(config: Option<&Path>, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let mut checks = Checks::default();
    checks.push(surroundings::program());
    checks.push(surroundings::configuration(config));
    let root = keys::source(session).await;
    let has_root = !root.is_bad();
    checks.push(root);
    match session.address() {
        Ok(address) => {
            checks.extend(files::all(session, &address));
            #[cfg(feature = "serve")]
            checks.extend(service::certificates(session));
            look_at_database(session, &address, has_root, &mut checks).await;
        }
        Err(failure) => checks.push(Check::failed("database", failure)),
    }
    let exit = checks.exit();
    output.result(&json!({ "checks": checks.all(), "ok": exit == Exit::Done }), || checks.text());
    Ok(exit)
}

/// An older manifest is a finding here and not a refusal, so that the rest is shown, too.
async fn epoch_checks(session: &Session, db: &sea_orm::DatabaseConnection) -> Vec<Check> {
    let found = epoch::findings(session, db).await;
    if found.is_empty() {
        return vec![Check::ok("epoch", "not older than what this host has seen")];
    }
    let check = |found: epoch::EpochFinding| match found.is_refusal {
        true => Check::left("epoch", found.message, found.hint),
        false => Check::advice("epoch", found.message, found.hint),
    };
    found.into_iter().map(check).collect()
}

async fn look_at_database(session: &Session, address: &crate::db::Address, has_root: bool, checks: &mut Checks) {
    let db = match session.connect(Access::Read).await {
        Ok(db) => db,
        Err(failure) => return checks.push(Check::failed("database", failure)),
    };
    checks.push(server::version(&db, address).await);
    checks.push(way::encryption(&db, address).await);
    checks.push(server::clock(&db).await);
    checks.extend(server::settings(&db).await);
    let (status, serves_programs) = schema::migrations(&db).await;
    let is_ours = !status.is_bad();
    checks.push(status);
    checks.push(schema::lock(&db).await);
    if is_ours {
        let epoch = epoch_checks(session, &db).await;
        let went_back = epoch.iter().any(Check::is_left);
        checks.extend(epoch);
        // What an older manifest says of cells and policies is no ground for advice.
        if !went_back {
            checks.extend(cells::all(session, &db, has_root).await);
        }
        checks.push(cells::quarantine(&db).await);
        // Policies and the service take Strongroom's own tables, which nobody asked for there.
        if serves_programs {
            return;
        }
        if has_root && !went_back {
            checks.extend(policy::all(session, &db).await);
        }
        #[cfg(feature = "serve")]
        checks.extend(service::readiness(&db).await);
    }
}
