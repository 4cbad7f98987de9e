//! A host's own table is filled and emptied again while its programs make keys of new tenants.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use strongroom::key::Ring;

use super::*;

on_every_engine!(a_table_is_sealed_and_opened_beside_new_tenants);

/// Two programs, 25 new tenants a second each.
const EVERY: Duration = Duration::from_millis(40);

fn a_table_is_sealed_and_opened_beside_new_tenants(engine: Engine) {
    let host = Host::with_tokens(engine);
    let over = AtomicBool::new(false);
    let accepted = thread::scope(|scope| {
        let programs = [1, 2].map(|program| {
            let (host, over) = (&host, &over);
            scope.spawn(move || begin_tenants(host, program, over))
        });
        let options = || Options {
            batch_size: 20,
            batch_delay: Duration::from_millis(50),
            ..Options::default()
        };
        let way = [Phase::Filled, Phase::Sealed, Phase::Plain];
        let done =
            way.map(|to| (to, host.bring_with(TABLE, to, options(), Duration::from_mins(2))));
        over.store(true, Ordering::Relaxed);
        for (to, done) in done {
            let done = done.unwrap_or_else(|| panic!("to {to:?}: no end in two minutes"));
            done.unwrap_or_else(|error| panic!("to {to:?}: {error:?}"));
        }
        programs
            .into_iter()
            .flat_map(|program| program.join().unwrap())
            .collect::<BTreeSet<String>>()
    });
    assert!(accepted.len() > 20, "only {} new tenants", accepted.len());
    let rows = host.rows();
    assert_eq!(rows.len(), ROWS + accepted.len());
    let new = rows.into_iter().filter(|row| row.0.starts_with("new-"));
    assert_eq!(
        new.map(|(id, _, token, _)| {
            assert_eq!(token, format!("token of {id}"));
            id
        })
        .collect::<BTreeSet<_>>(),
        accepted
    );
}

/// Makes a key for each new tenant, as programs that seal do, and a row in the clear while the table takes such rows.
fn begin_tenants(host: &Host, program: usize, over: &AtomicBool) -> Vec<String> {
    let (db, ring) = block_on(async {
        let db = host.connect().await;
        let ring = Ring::load(&db, host.roots.clone()).await.unwrap();
        (db, ring)
    });
    let (begun, mut accepted) = (Instant::now(), Vec::new());
    for n in 0_u32.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("new-{program}-{n}");
        // On MySQL and MariaDB two programs that make keys at once may meet in a deadlock.
        let _ = block_on(ring.prepare(&db, [format!("t{id}")]));
        let sql = format!(
            "INSERT INTO api_token (id, tenant_id, name, token) VALUES ('{id}', 't{id}', 'n', 'token of {id}')"
        );
        if host.room.try_execute(&sql, vec![]).is_ok() {
            accepted.push(id);
        }
        thread::sleep((begun + EVERY * (n + 1)).saturating_duration_since(Instant::now()));
    }
    accepted
}
