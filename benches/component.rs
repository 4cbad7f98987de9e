//! Point reads through a component's handle against the same reads through a bare pool of the same login, in turns.
//!
//! The handle's pool looks at each new session once, and at the age of a session each time it is handed out.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark prints"
)]

#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    reason = "the tests use more of it"
)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "as in the tests"
)]
mod support;

use std::time::{Duration, Instant};

use sea_orm::{DatabaseConnection, EntityTrait as _};
use strongroom_entity::credential;
use support::{Engine, Room, block_on, numbered_rows};

const ROUNDS: usize = 40;
const READS: usize = 250;

fn main() {
    println!(
        "{} point reads each, in turns; the median of {ROUNDS} rounds, handle to bare pool",
        ROUNDS * READS
    );
    for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
        let room = Room::sealed(engine, &numbered_rows(1000));
        let (handle, bare) = (room.component("api"), room.log_in_as("api"));
        let (mut by_handle, mut by_bare) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let (one, other) = (time(handle.database()), time(&bare));
            // The first round opens the sessions.
            if round > 0 {
                by_handle.push(one);
                by_bare.push(other);
            }
        }
        let (handle, bare) = (median(by_handle), median(by_bare));
        println!(
            "{engine}: {:.1} µs by handle, {:.1} µs bare, {:.3}x",
            each(handle),
            each(bare),
            handle.as_secs_f64() / bare.as_secs_f64()
        );
    }
}

fn time(db: &DatabaseConnection) -> Duration {
    let begun = Instant::now();
    block_on(async {
        for n in 0..READS {
            let id = format!("row-{:06}", n % 1000);
            assert!(credential::Entity::find_by_id(id).one(db).await.unwrap().is_some());
        }
    });
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn each(round: Duration) -> f64 {
    round.as_secs_f64() * 1e6 / READS as f64
}
