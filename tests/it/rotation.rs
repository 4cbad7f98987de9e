//! Another login while programs run: no request fails, no session of the old one is left, and a crash leaves both working.

use std::io::{BufRead as _, BufReader};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use strongroom::credential::Store;

use crate::support::{
    Engine, OwnServer, Room, block_on, long_on_every_server, numbered_rows, on_every_server,
    runtime, until,
};

on_every_server!(
    twice_under_load_nothing_fails,
    killed_at_each_step_and_run_again,
    sessions_that_stay_are_ended
);

long_on_every_server!(for_a_minute_under_load_nothing_fails);

fn twice_under_load_nothing_fails(engine: Engine) {
    rotate_under_load(engine, Duration::ZERO, 0);
}

/// At least as many as 200 requests a second.
fn for_a_minute_under_load_nothing_fails(engine: Engine) {
    rotate_under_load(engine, Duration::from_mins(1), 200 * 60);
}

/// Requests as fast as they come, and at least two rotations, one after the other.
fn rotate_under_load(engine: Engine, time: Duration, requests: u64) {
    let rows = numbered_rows(20);
    // Other tests' grants keep a shared MariaDB from letting anybody in for seconds.
    let server = OwnServer::of(engine);
    let room = server.room();
    room.run(&["migrate", "up", "--to", "1"]).expect(0);
    room.insert_plaintext(&rows);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    let components = room.components().unwrap();
    let api = block_on(components.component("api")).unwrap();
    let store = Arc::new(Store::of_component(api.database().clone(), api.keys()));
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let failed = Arc::new(Mutex::new(Vec::new()));
    let workers: Vec<_> = (0..8_usize)
        .map(|worker| {
            let (store, stop, done, failed) =
                (store.clone(), stop.clone(), done.clone(), failed.clone());
            let rows: Vec<_> = rows
                .iter()
                .map(|row| (row.access_key.clone().unwrap(), row.secret_key.clone()))
                .collect();
            runtime().spawn(async move {
                for turn in worker.. {
                    if stop.load(Ordering::Acquire) {
                        return;
                    }
                    let (access, secret) = &rows[turn % rows.len()];
                    match store.find(access, true).await {
                        Ok(found)
                            if found
                                .secret
                                .as_ref()
                                .is_some_and(|found| found.as_str() == secret) =>
                        {
                            done.fetch_add(1, Ordering::AcqRel);
                        }
                        other => failed.lock().unwrap().push(format!("{:?}", other.err())),
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        })
        .collect();
    let begun = Instant::now();
    let mut rotations = 0;
    // A machine that is busy with other tests as well takes longer to come to as many.
    while rotations < 2 || begun.elapsed() < time || done.load(Ordering::Acquire) < requests {
        assert!(begun.elapsed() < Duration::from_mins(5), "{done:?} requests, {failed:?} failed");
        let rotated = room.json(&["policy", "rotate-login", "api"]);
        assert_eq!(rotated["sessions_ended"], 0, "all left by themselves: {rotated}");
        assert_eq!(sessions_of(&room, rotated["from"].as_str().unwrap()), 0);
        let to = rotated["to"].as_str().unwrap();
        until("the load goes on by the other", || sessions_of(&room, to) > 0);
        rotations += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    stop.store(true, Ordering::Release);
    for worker in workers {
        block_on(worker).unwrap();
    }
    let done = done.load(Ordering::Acquire);
    println!("{engine}: {done} requests in {seconds:.0} s, {rotations} rotations");
    let failed = failed.lock().unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    room.run(&["policy", "check"]).expect(0);
}

fn sessions_of(room: &Room, user: &str) -> i64 {
    room.number(&match room.engine {
        Engine::Postgres => {
            format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}'")
        }
        // Its list of processes cannot be read while a statement holds bytes.
        Engine::MySql => format!(
            "SELECT count(*) FROM performance_schema.threads WHERE PROCESSLIST_USER = '{user}'"
        ),
        _ => format!("SELECT count(*) FROM information_schema.processlist WHERE USER = '{user}'"),
    })
}

/// What the program says tells where it is; it is killed there, and a handle that is open goes on to work.
fn killed_at_each_step_and_run_again(engine: Engine) {
    let rows = numbered_rows(2);
    let room = Room::sealed(engine, &rows);
    let components = room.components().unwrap();
    let api = block_on(components.component("api")).unwrap();
    let store = Store::of_component(api.database().clone(), api.keys());
    let works = || {
        let found = block_on(store.find(rows[0].access_key.as_deref().unwrap(), true)).unwrap();
        assert_eq!(found.secret.unwrap().as_str(), rows[0].secret_key);
    };
    for step in [
        "the other login is open",
        "programs are told to use it",
        "the old login has",
        "0 sessions",
    ] {
        let before = room.json(&["policy", "login", "api"])["user"].clone();
        works();
        let mut running = room.start(&["policy", "rotate-login", "api", "--settle", "2"]);
        let lines = BufReader::new(running.0.stderr.take().unwrap()).lines();
        lines
            .map_while(Result::ok)
            .find(|line| line.contains(step))
            .unwrap_or_else(|| panic!("never said: {step}"));
        running.kill();
        works();
        let rotated = room.json(&["policy", "rotate-login", "api", "--settle", "1"]);
        assert_eq!(rotated["from"], before, "the same rotation went on after: {step}");
        assert_eq!(room.json(&["policy", "login", "api"])["user"], rotated["to"]);
        assert_eq!(sessions_of(&room, rotated["from"].as_str().unwrap()), 0);
        works();
        room.run(&["policy", "check"]).expect(0);
    }
}

/// A program that does not follow keeps its session until the deadline.
fn sessions_that_stay_are_ended(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let stays = room.log_in_as("api");
    until("the session is there", || block_on(stays.ping()).is_ok());
    let rotated = room.json(&["policy", "rotate-login", "api", "--settle", "1", "--deadline", "2"]);
    assert_eq!(rotated["sessions_ended"], 1, "{rotated}");
    assert_eq!(sessions_of(&room, rotated["from"].as_str().unwrap()), 0);
    drop(stays);
}
