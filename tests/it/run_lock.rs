//! A lease that no run takes is not waited for.

use std::time::{Duration, Instant};

use strongroom::db::{Access, Address, Lock, LockError, connect};

use crate::support::{Engine, Room, block_on, numbered_rows, on_every_engine};

on_every_engine!(
    lease_longer_than_any_run_takes_is_named_and_not_waited_for,
    lease_of_any_other_value_is_taken_at_once,
    lease_that_was_given_back_is_not_renewed,
);

const HOLDER: &str = "elsewhere:12:34:boot:ns \u{1b}[31m";

/// Typed as the error says, the command takes the lock away.
fn lease_longer_than_any_run_takes_is_named_and_not_waited_for(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    for expires in [i64::MAX, 9_999_999_999_999] {
        let set = "UPDATE strongroom_lock SET holder = $1, expires_ms = $2 WHERE name = 'run'";
        room.try_execute(set, vec![HOLDER.into(), expires.into()]).unwrap();
        let begun = Instant::now();
        let refused = room.run(&["keys", "rotate"]).expect(5);
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        assert!(refused.err.contains("process 12 on elsewhere"), "{refused:?}");
        assert!(refused.err.contains("waiting for the run lock"), "{refused:?}");
        assert!(!refused.err.contains('\u{1b}'), "{refused:?}");
        let (_, command) = refused.err.split_once("`strongroom ").unwrap();
        let (command, _) = command.split_once('`').unwrap();
        assert!(command.starts_with("migrate unlock --yes --holder "), "{command}");
        let doctor = room.run(&["doctor"]);
        assert!(doctor.out.contains("a lease that no run takes"), "{doctor:?}");
        let script = format!("exec '{}' {command}", env!("CARGO_BIN_EXE_strongroom"));
        let mut shell = std::process::Command::new("bash");
        shell
            .args(["-c", &script])
            .current_dir(room.path())
            .env("STRONGROOM__DATABASE__URL", room.url());
        crate::support::ran(&mut shell).expect(0);
        room.run(&["keys", "rotate"]).expect(0);
    }
}

fn lease_of_any_other_value_is_taken_at_once(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    for (token, expires) in
        [(1_i64, 0_i64), (1, -1), (1, i64::MIN), (0, 1), (i64::MAX, 0), (-5, 0), (i64::MIN, 0)]
    {
        let set = "UPDATE strongroom_lock SET holder = 'x', token = $1, expires_ms = $2 WHERE name = 'run'";
        room.try_execute(set, vec![token.into(), expires.into()]).unwrap();
        let begun = Instant::now();
        room.run(&["keys", "rotate"]).expect(0);
        assert!(begun.elapsed() < Duration::from_secs(20), "{token} {expires}");
        assert!(room.number("SELECT token FROM strongroom_lock") > 0, "{token} {expires}");
    }
}

/// SQLite keeps any value in any column.
#[test]
fn lease_that_is_no_number_is_taken_at_once() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(3));
    room.execute("UPDATE strongroom_lock SET holder = 'x', token = 'y', expires_ms = 'never'");
    room.run(&["doctor"]);
    room.run(&["migrate", "status"]).expect(0);
    room.run(&["keys", "rotate"]).expect(0);
}

/// By a holder that renews it.
#[test]
fn live_holder_ends_the_wait() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(3));
    let lease = |left: u32| {
        room.execute(&format!(
            "UPDATE strongroom_lock SET holder = 'elsewhere:1:2:b:n', expires_ms = unixepoch('subsec') * 1000 + {left}"
        ));
    };
    lease(29_000);
    let mut run = room.start(&["keys", "rotate"]);
    std::thread::sleep(Duration::from_secs(4));
    assert!(!run.is_over());
    lease(30_000);
    let refused = run.finish().expect(5);
    assert!(refused.err.contains("process 1 on elsewhere"), "{refused:?}");
}

/// As by a heartbeat that reaches the server after the release. The fence renews with the same statement.
fn lease_that_was_given_back_is_not_renewed(engine: Engine) {
    let room = Room::with_plaintext(engine, &[]);
    let address = Address::parse(room.url()).unwrap();
    let db = block_on(connect(&address, Access::Write)).unwrap();
    let lock = block_on(Lock::take(&db)).unwrap();
    block_on(lock.fence(&db)).unwrap();
    room.execute("UPDATE strongroom_lock SET expires_ms = 0 WHERE name = 'run'");
    assert!(matches!(block_on(lock.fence(&db)), Err(LockError::Lost)));
    assert_eq!(room.number("SELECT expires_ms FROM strongroom_lock WHERE name = 'run'"), 0);
}
