//! `strongroom doctor`: everything that can be wrong, each on a line of its own. Writes nothing.
//!
//! `strongroom status` presents the same checks on one screen.

mod cells;
mod check;
mod cluster;
mod facts;
mod files;
mod guards;
mod keys;
mod policy;
mod running;
mod schema;
mod server;
mod service;
mod surroundings;
mod way;

use std::path::Path;

use serde_json::json;

pub(super) use self::check::{Check, Checks, State};
pub(super) use self::facts::Counted;
pub(super) use self::facts::Facts;
use super::epoch;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use strongroom::db::{Access, Address, DatabaseConnection};

/// One bad check does not keep the rest from being looked at, unless they depend on it.
pub(super) async fn run(
    config: Option<&Path>,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut looked = look_around(config, session).await;
    match session.address() {
        Ok(address) => match session.connect(Access::Read).await {
            Ok(db) => look_at_database(session, &address, &db, &mut looked).await,
            Err(failure) => looked.checks.push(Check::failed("database", failure)),
        },
        Err(failure) => looked.checks.push(Check::failed("database", failure)),
    }
    let checks = looked.checks.typed(output);
    let exit = checks.exit();
    output.result(&json!({ "checks": checks.all(), "ok": exit == Exit::Done }), || checks.text());
    Ok(exit)
}

/// The checks, and what they found out on the way.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) checks: Checks,
    pub(super) facts: Facts,
    has_root: bool,
}

/// Looks at everything but the database.
pub(super) async fn look_around(config: Option<&Path>, session: &Session) -> Checked {
    let mut checks = Checks::default();
    checks.push(surroundings::program());
    checks.push(surroundings::configuration(config));
    let root = keys::source(session).await;
    let has_root = !root.is_bad();
    checks.push(root);
    if let Ok(address) = session.address() {
        checks.extend(files::all(session, &address));
    }
    checks.extend(service::certificates(session));
    checks.extend(running::running(session).await);
    Checked { checks, facts: Facts::default(), has_root }
}

/// An older manifest is a finding here and not a refusal, so that the rest is shown, too.
async fn epoch_checks(session: &Session, db: &DatabaseConnection) -> Vec<Check> {
    let found = epoch::findings(session, db).await;
    if found.is_empty() {
        return vec![Check::ok("epoch", "not older than what this host has seen")];
    }
    let check = |found: epoch::EpochFinding| {
        let check = if found.is_refusal { Check::left } else { Check::advice };
        check("epoch", found.message, found.hint).code(found.code)
    };
    found.into_iter().map(check).collect()
}

/// Looks at a database that can be reached.
pub(super) async fn look_at_database(
    session: &Session,
    address: &Address,
    db: &DatabaseConnection,
    looked: &mut Checked,
) {
    let Checked { checks, facts, has_root } = looked;
    checks.push(server::version(db, address).await);
    checks.push(way::encryption(db, address).await);
    checks.push(server::clock(db).await);
    checks.extend(server::settings(db).await);
    checks.extend(cluster::all(session, db).await);
    let (status, serves_programs) = schema::migrations(db, facts).await;
    let is_ours = !status.is_bad();
    checks.push(status);
    checks.push(schema::lock(db).await);
    if is_ours {
        let epoch = epoch_checks(session, db).await;
        let went_back = epoch.iter().any(Check::is_left);
        checks.extend(epoch);
        // What an older manifest says of cells and policies is no ground for advice.
        if !went_back {
            checks.extend(cells::all(session, db, *has_root, facts).await);
        }
        checks.push(cells::quarantine(db, facts).await);
        // Policies and the service take Strongroom's own tables, which nobody asked for there.
        if serves_programs {
            return;
        }
        if *has_root && !went_back {
            checks.extend(policy::all(session, db).await);
        }
        checks.extend(service::readiness(db).await);
        facts.read_audit(db).await;
    }
}
