//! Rows per second of sealing, rolling and going down, against one row a commit in the same run.
//!
//! One row a commit, without any cryptography, is the shape of the migrations that control planes ship.
//! Rates of different machines do not compare; the ratios do.

#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark prints")]

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, unreachable_pub, reason = "the tests use more of it")]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "as in the tests")]
mod support;

use std::time::Instant;

use support::{Engine, Room, numbered_rows};

const ROWS: usize = 20_000;
const BASELINE_ROWS: usize = 1_000;

fn main() {
    println!("{ROWS} rows of two cells; rows/s, and the ratio to one row a commit without cryptography");
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MySql, Engine::MariaDb] {
        let room = Room::with_plaintext(engine, &numbered_rows(ROWS));
        let baseline = rate(BASELINE_ROWS, || one_row_a_commit(&room));
        println!("{engine:?}: one row a commit {baseline:.0}");
        room.run(&["migrate", "up", "--to", "3"]).expect(0);
        let steps: [(&str, &[&str]); 5] = [
            ("seal (migrate up --to 4)", &["migrate", "up", "--to", "4"]),
            ("prove, drop and scrub (migrate up)", &["migrate", "up", "--yes"]),
            ("roll (keys rotate)", &["keys", "rotate"]),
            ("verify (keys verify)", &["keys", "verify"]),
            ("go down (migrate down --to 1)", &["migrate", "down", "--to", "1", "--yes"]),
        ];
        for (what, command) in steps {
            let rows_a_second = rate(ROWS, || drop(room.run(command).expect(0)));
            println!("{engine:?}: {what} {rows_a_second:.0}, {:.1}x", rows_a_second / baseline);
        }
    }
}

fn one_row_a_commit(room: &Room) {
    for n in 0..BASELINE_ROWS {
        let update = "UPDATE credential SET extra = concat(extra, ' ') WHERE id = $1";
        room.try_execute(update, vec![format!("row-{n:06}").into()]).unwrap();
    }
}

fn rate(rows: usize, work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    rows as f64 / begun.elapsed().as_secs_f64()
}
