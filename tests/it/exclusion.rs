//! Writers beside steps 5 and 6, up and down: what they write meanwhile is verified, and they wait for a moment only.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::schema_changes::cut_until;
use crate::support::{Engine, Room, long_on_every_engine, numbered_rows, on_every_engine, until};

on_every_engine!(
    a_cell_that_is_broken_while_cells_are_verified_keeps_the_plaintext,
    a_failed_requirement_lets_programs_write_plaintext_again,
);

long_on_every_engine!(how_long_writers_wait);

/// The page may have been read before, and may be read after.
fn a_cell_that_is_broken_while_cells_are_verified_keeps_the_plaintext(engine: Engine) {
    let rows = numbered_rows(3_000);
    let room = Room::with_plaintext(engine, &rows);
    room.run(&["migrate", "up", "--to", "5"]).expect(0);
    let running = room.start(&["migrate", "up", "--to", "6", "--yes"]);
    let list = "SELECT count(*) FROM strongroom_changed_credential";
    until("changes are noted", || room.try_execute(list, vec![]).is_ok());
    let fake = [vec![1_u8], vec![0xab; 111]].concat();
    let broken = room.try_execute(
        "UPDATE credential SET secret_key_sealed = $1 WHERE id = 'row-000003'",
        vec![fake.into()],
    );
    let ran = running.finish();
    match broken {
        Ok(1) => {
            let ran = ran.expect(4);
            assert!(ran.err.contains("row-000003"), "{}", ran.err);
            assert_eq!(room.plaintext(), rows);
            assert!(room.try_execute(list, vec![]).is_err(), "the list is gone");
        }
        // The run was faster.
        _ => drop(ran.expect(0)),
    }
}

fn a_failed_requirement_lets_programs_write_plaintext_again(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(5));
    room.run(&["migrate", "up", "--to", "4"]).expect(0);
    let long = "x".repeat((1 << 20) + 1);
    let insert =
        "INSERT INTO credential (id, user_id, type, secret_key) VALUES ($1, 'u', 'ec2', $2)";
    room.try_execute(insert, vec!["long".into(), long.into()]).unwrap();
    assert_ne!(room.run(&["migrate", "up", "--to", "5"]).code, 0);
    room.try_execute(insert, vec!["next".into(), "plain".into()]).unwrap();
    room.execute("DELETE FROM credential WHERE id = 'long'");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
}

#[test]
fn writers_of_a_killed_run_are_told_and_let_in_by_the_same_command() {
    for engine in [Engine::MySql, Engine::MariaDb] {
        let rows = numbered_rows(20);
        let room = Room::with_plaintext(engine, &rows);
        room.run(&["migrate", "up", "--to", "5"]).expect(0);
        cut_until(&room, &["migrate", "up", "--to", "6", "--yes"], "4_bound");
        for change in [
            "INSERT INTO credential (id, user_id, type, secret_key) VALUES ('new', 'u', 'ec2', 'x')",
            "UPDATE credential SET created_at = created_at",
            "DELETE FROM credential WHERE id = 'row-000001'",
        ] {
            let refused = room.try_execute(change, vec![]).unwrap_err().to_string();
            let is_told = refused.contains("strongroom holds writers of credential");
            assert!(is_told || change.starts_with("INSERT"), "{change}: {refused}");
        }
        let doctor = room.run(&["doctor"]).all();
        assert!(doctor.contains("writers are kept out of `credential`"), "{doctor}");
        room.run(&["migrate", "up", "--to", "6", "--yes"]).expect(0);
        room.execute("DELETE FROM credential WHERE id = 'row-000001'");

        // Back instead of on.
        room.run(&["migrate", "down", "--to", "5", "--yes"]).expect(0);
        cut_until(&room, &["migrate", "up", "--to", "6", "--yes"], "4_bound");
        room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
        assert_eq!(room.plaintext().len(), 19);
        room.execute("DELETE FROM credential WHERE id = 'row-000002'");
    }
}

/// Prints, for each step, how long a program that writes a hundred times a second waited or was refused at most.
/// `STRONGROOM_ROWS` says over how many rows, and `STRONGROOM_PROGRAM` which program is to be measured.
fn how_long_writers_wait(engine: Engine) {
    let rows =
        std::env::var("STRONGROOM_ROWS").ok().and_then(|it| it.parse().ok()).unwrap_or(20_000);
    let room = Room::with_plaintext(engine, &numbered_rows(rows));
    run(&room, &["migrate", "up", "--to", "4"]);
    for (way, to) in [("up", "5"), ("up", "6"), ("down", "5"), ("down", "4")] {
        let over = AtomicBool::new(false);
        let (took, longest, writes) = thread::scope(|scope| {
            let writer = scope.spawn(|| write_until(&room, &over));
            thread::sleep(Duration::from_millis(500));
            let begun = Instant::now();
            run(&room, &["migrate", way, "--to", to, "--yes"]);
            let took = begun.elapsed();
            thread::sleep(Duration::from_millis(500));
            over.store(true, Ordering::Relaxed);
            let (longest, writes) = writer.join().unwrap();
            (took, longest, writes)
        });
        println!(
            "{engine} {rows} rows, {way} to {to}: step {:.2} s, writers waited {:.2} s at most, {writes} writes",
            took.as_secs_f64(),
            longest.as_secs_f64()
        );
    }
}

fn run(room: &Room, arguments: &[&str]) {
    let mut command = room.command(arguments);
    if let Ok(program) = std::env::var("STRONGROOM_PROGRAM") {
        let mut other = std::process::Command::new(program);
        other.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
        other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command = other;
    }
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// Touches rows without changing them, which every phase allows; returns the longest time between two that were taken.
fn write_until(room: &Room, over: &AtomicBool) -> (Duration, u32) {
    let (mut last, mut longest, mut writes) = (Instant::now(), Duration::ZERO, 0);
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let id = format!("row-{:06}", writes % 1_000);
        let touch = "UPDATE credential SET created_at = CURRENT_TIMESTAMP WHERE id = $1";
        if room.try_execute(touch, vec![id.into()]).is_ok() {
            longest = longest.max(last.elapsed());
            last = Instant::now();
            writes += 1;
        }
        thread::sleep(Duration::from_millis(10).saturating_sub(begun.elapsed()));
    }
    (longest.max(last.elapsed()), writes)
}
