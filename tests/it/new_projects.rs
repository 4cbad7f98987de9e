//! Programs begin new projects, each with a data key of its own, while cells and keys are moved: every command ends.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use strongroom::credential::{NewCredential, Store};
use strongroom::db::{Access, Address, connect};
use strongroom::key::{FileSource, KeySource as _, Roots};

use crate::support::{Engine, Room, block_on, numbered_rows, on_every_engine};

on_every_engine!(
    a_roll_and_a_retirement_end_beside_new_projects,
    a_rewrap_ends_beside_new_projects,
    the_way_up_and_down_ends_beside_new_projects,
);

/// Two programs, 25 new projects a second each.
const PROGRAMS: usize = 2;
const EVERY: Duration = Duration::from_millis(40);
const SLOWLY: [&str; 4] = ["--batch-size", "100", "--batch-delay", "20"];

fn a_roll_and_a_retirement_end_beside_new_projects(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3_000));
    let made = beside_new_projects(&room, &[room.key_file()], || {
        room.run(&[&["keys", "rotate"], &SLOWLY[..]].concat()).expect(0);
        room.run(&["keys", "status", "--check"]).expect(0);
        room.run(&[&["keys", "rotate", "--back"], &SLOWLY[..]].concat()).expect(0);
        room.run(&["keys", "rotate"]).expect(0);
        room.run(&["keys", "retire", "2", "--grace", "0", "--yes"]).expect(0);
    });
    assert!(made.len() > 100, "only {} new projects", made.len());
    let status = room.run(&["keys", "status", "--check", "--format", "json"]).expect(0).json();
    assert_eq!(status["cells"]["sealed"], 6_000 + 2 * made.len(), "{status}");
    room.run(&["keys", "verify"]).expect(0);
}

fn a_rewrap_ends_beside_new_projects(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(300));
    let [before, next] = ["before.key", "next.key"].map(|name| room.path().join(name));
    fs::copy(room.key_file(), &before).unwrap();
    fs::write(&next, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n").unwrap();
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).unwrap();
    let made = beside_new_projects(&room, &[before, next.clone()], || {
        room.run(&["keys", "rewrap", "--to", "file:next.key"]).expect(0);
    });
    fs::copy(&next, room.key_file()).unwrap();
    let status = room.json(&["keys", "status"]);
    assert_eq!(status["cells"]["sealed"], 600 + 2 * made.len(), "{status}");
    room.run(&["keys", "verify"]).expect(0);
}

fn the_way_up_and_down_ends_beside_new_projects(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(1_500));
    room.run(&["migrate", "up", "--to", "3"]).expect(0);
    let made = beside_new_projects(&room, &[room.key_file()], || {
        room.run(&[&["migrate", "up", "--to", "4"], &SLOWLY[..]].concat()).expect(0);
        room.run(&["migrate", "up", "--yes"]).expect(0);
        room.run(&[&["migrate", "down", "--to", "5", "--yes"], &SLOWLY[..]].concat()).expect(0);
        room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    });
    let stored: BTreeMap<String, String> =
        room.plaintext().into_iter().map(|row| (row.id, row.secret_key)).collect();
    for new in &made {
        assert_eq!(stored.get(&new.id), Some(&*new.secret), "{}", new.id);
    }
    assert_eq!(room.json(&["keys", "status"])["cells"]["plaintext"], 3_000 + 2 * made.len());
}

/// Does some work while programs store one credential each of new projects; what they stored.
fn beside_new_projects(room: &Room, keys: &[PathBuf], work: impl FnOnce()) -> Vec<NewCredential> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let programs: Vec<_> = (0..PROGRAMS)
            .map(|program| {
                scope.spawn({
                    let over = &over;
                    move || begin_projects(room, keys, program, over)
                })
            })
            .collect();
        let guard = Over(&over);
        work();
        drop(guard);
        programs.into_iter().flat_map(|program| program.join().unwrap()).collect()
    })
}

/// Ends the programs also when the work panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn begin_projects(
    room: &Room,
    keys: &[PathBuf],
    program: usize,
    over: &AtomicBool,
) -> Vec<NewCredential> {
    let store = block_on(store(room, keys));
    let (begun, mut made, mut refused) = (Instant::now(), Vec::new(), Vec::new());
    for n in 0_u32.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let mut new = NewCredential::make(format!("program-{program}"), "ec2").unwrap();
        new.project_id = Some(format!("new-{program}-{n}"));
        match block_on(store.create(&new)) {
            Ok(()) => made.push(new),
            Err(error) => refused.push(error.to_string()),
        }
        thread::sleep((begun + EVERY * (n + 1)).saturating_duration_since(Instant::now()));
    }
    println!(
        "{} projects in {:?}, {} refused: {:?}",
        made.len(),
        begun.elapsed(),
        refused.len(),
        refused.last()
    );
    made
}

async fn store(room: &Room, keys: &[PathBuf]) -> Store {
    let db = connect(&Address::parse(room.url()).unwrap(), Access::Write).await.unwrap();
    let mut roots = Roots::from(FileSource::new(&keys[0]).root().await.unwrap());
    if let Some(next) = keys.get(1) {
        roots = roots.with_next(FileSource::new(next).root().await.unwrap());
    }
    Store::new(db, Some(Arc::new(roots)), 0)
}
