//! The access matrix of every package: each row of `Routes::access`, asked as each component. `service.rs` has more of what
//! credentials answer, with steps that a single request does not have.

use std::fmt::Write as _;

use chrono::{SecondsFormat, Utc};
use strongroom_api::AccessRow;

use crate::support::{Caller, Engine, Room, numbered_rows, on_every_engine};

on_every_engine!(every_component_is_answered_as_the_matrix_says);

const CALLERS: [&str; 9] = [
    "api",
    "auditor",
    "compute",
    "conductor",
    "console",
    "metadata",
    "network",
    "operator",
    "scheduler",
];

/// One snapshot for all engines: the route, its request, and what each component is answered.
fn every_component_is_answered_as_the_matrix_says(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let service = room.serve("");
    let callers = CALLERS.map(|component| (component, service.caller(component)));
    let mut matrix = String::new();
    for row in strongroom_cli::packages().iter().flat_map(|package| package.access()) {
        writeln!(matrix, "{} {}", row.method, row.path).unwrap();
        if row.target != row.path {
            writeln!(matrix, "  {}", row.target).unwrap();
        }
        for (component, caller) in &callers {
            writeln!(matrix, "    {component:<10} {}", answer(caller, row)).unwrap();
        }
    }
    insta::assert_snapshot!("access", matrix);
    room.run(&["audit", "verify"]).expect(0);
}

fn answer(caller: &Caller, row: &AccessRow) -> String {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let body = row.body.map(|body| serde_json::from_str(&body.replace("{now}", &now)).unwrap());
    let verdict = caller.ask(row.method, row.target, body.as_ref()).unwrap().verdict();
    // SQLite has no logins; servers give each component its own.
    if verdict == "404 no_logins" { "200".to_owned() } else { verdict }
}
