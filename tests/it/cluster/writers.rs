//! Programs that write without a pause, and keep a ledger of what the database acknowledged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};
use strongroom::credential::{NewCredential, Store, StoreError};

use super::ledger::Ledger;
use super::stored;
use crate::support::block_on;

/// A pause after each turn, so that the writers leave the machine to the servers.
const PACE: Duration = Duration::from_millis(50);

/// No statement may take longer.
pub const HANG: Duration = Duration::from_secs(30);

pub struct Writers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    /// Held by each turn; whoever compares the database with the ledger holds it alone.
    quiet: RwLock<()>,
    ledger: Mutex<Ledger>,
    lanes: Mutex<Vec<Lane>>,
    acknowledged: AtomicU64,
    refused: Mutex<BTreeMap<String, u64>>,
}

/// One program that links the library, as its users see it.
struct Lane {
    node: usize,
    /// Whether its server and network are in order, so that it must be served.
    is_watched: bool,
    last: Instant,
    longest: Duration,
}

impl Writers {
    /// Two programs a node: one uses the library, the other knows only plaintext. `rows` are there already.
    pub fn start(urls: &[(usize, String)], key: &Path, rows: &[(String, String)]) -> Self {
        let shared = Arc::new(Shared::default());
        for (id, secret) in rows {
            shared.ledger().acknowledged(id, Some(secret));
        }
        let mut threads = Vec::new();
        for (node, url) in urls {
            let lane = {
                let mut lanes = shared.lanes.lock().unwrap();
                let now = Instant::now();
                let lane =
                    Lane { node: *node, is_watched: true, last: now, longest: Duration::ZERO };
                lanes.push(lane);
                lanes.len() - 1
            };
            let store = block_on(stored::store(url, key));
            let (node, of_store, of_plain) = (*node, shared.clone(), shared.clone());
            let url = url.clone();
            threads.push(std::thread::spawn(move || of_store.use_store(&store, node, lane)));
            threads.push(std::thread::spawn(move || of_plain.use_sql(&url, node)));
        }
        Self { shared, threads }
    }

    /// From now on stalls are measured.
    pub fn watch(&self) {
        for lane in &mut *self.shared.lanes.lock().unwrap() {
            (lane.last, lane.longest) = (Instant::now(), Duration::ZERO);
        }
    }

    /// Whether the programs of a node must be served.
    pub fn watch_node(&self, node: usize, is_watched: bool) {
        for lane in self.shared.lanes.lock().unwrap().iter_mut().filter(|lane| lane.node == node) {
            (lane.is_watched, lane.last) = (is_watched, Instant::now());
        }
    }

    /// The longest time in which a program that must be served could not store anything.
    pub fn stall(&self) -> Duration {
        let lanes = self.shared.lanes.lock().unwrap();
        let lanes = lanes.iter().filter(|lane| lane.is_watched);
        lanes.map(|lane| lane.longest.max(lane.last.elapsed())).max().unwrap_or_default()
    }

    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// What was answered instead of yes, and how often.
    pub fn refused(&self) -> BTreeMap<String, u64> {
        self.shared.refused.lock().unwrap().clone()
    }

    /// Looks at the ledger while no program writes.
    pub fn in_quiet<T>(&self, look: impl FnOnce(&mut Ledger) -> T) -> T {
        let _quiet = self.shared.quiet.write().unwrap();
        let looked = look(&mut self.shared.ledger());
        self.watch();
        looked
    }

    /// Ends the programs, each after its turn.
    pub fn stop(mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn refuse(&self, who: &str, error: &str) {
        let short: String = error.chars().take(100).collect();
        *self.refused.lock().unwrap().entry(format!("{who}: {short}")).or_default() += 1;
    }

    fn use_store(&self, store: &Store, node: usize, lane: usize) {
        for n in 0_usize.. {
            if self.is_over() {
                return;
            }
            let turn = self.quiet.read().unwrap();
            let mut new = NewCredential::make(format!("store-{node}"), "ec2").unwrap();
            // Each project has a key of its own: many turns make one.
            let project =
                if n % 4 == 0 { format!("new-{node}-{n}") } else { format!("old-{}", n % 3) };
            new.project_id = Some(project);
            if self.create(store, &new) {
                let mut lanes = self.lanes.lock().unwrap();
                let lane = &mut lanes[lane];
                lane.longest = lane.longest.max(lane.last.elapsed());
                lane.last = Instant::now();
            }
            if n % 5 == 0 {
                self.delete(store, &new);
            }
            drop(turn);
            std::thread::sleep(PACE);
        }
    }

    /// True when it was acknowledged.
    fn create(&self, store: &Store, new: &NewCredential) -> bool {
        match within(store.create(new)) {
            Ok(()) => {
                self.ledger().acknowledged(&new.id, Some(&new.secret));
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = within(store.find_by_id(&new.id, true)) {
                    self.refuse("find", &error);
                }
                true
            }
            Err(error) => {
                self.ledger().unknown(&new.id, Some(&new.secret));
                self.refuse("store", &error);
                false
            }
        }
    }

    fn delete(&self, store: &Store, new: &NewCredential) {
        match within(store.delete_by_id(&new.id)) {
            Ok(()) => self.ledger().acknowledged(&new.id, None),
            Err(error) => {
                self.ledger().unknown(&new.id, None);
                self.refuse("delete", &error);
            }
        }
    }

    fn use_sql(&self, url: &str, node: usize) {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(1)
            .connect_timeout(Duration::from_secs(3))
            .acquire_timeout(Duration::from_secs(3))
            .sqlx_logging(false);
        let db = block_on(Database::connect(options)).unwrap();
        for n in 0_usize.. {
            if self.is_over() {
                return;
            }
            let turn = self.quiet.read().unwrap();
            let id = format!("plain-{node}-{n}");
            let inserted = self.say(
                &db,
                &format!(
                    "INSERT INTO credential (id, user_id, type, access_key, secret_key) VALUES ('{id}', 'u', 'ec2', 'access-{id}', 'first')"
                ),
                (&id, Some("first")),
            );
            if inserted {
                let update =
                    format!("UPDATE credential SET secret_key = 'second' WHERE id = '{id}'");
                self.say(&db, &update, (&id, Some("second")));
                if n % 3 == 0 {
                    self.say(
                        &db,
                        &format!("DELETE FROM credential WHERE id = '{id}'"),
                        (&id, None),
                    );
                }
            }
            drop(turn);
            // A program that knows only plaintext is refused for a long time: it asks less often then.
            std::thread::sleep(if inserted { PACE } else { PACE * 5 });
        }
    }

    /// Runs a statement whose success leaves a row like this. True when it was acknowledged.
    fn say(&self, db: &DatabaseConnection, sql: &str, (id, secret): (&str, Option<&str>)) -> bool {
        match within(db.execute_unprepared(sql)) {
            Ok(done) if done.rows_affected() == 1 => {
                self.ledger().acknowledged(id, secret);
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            Ok(_) => self.refuse("plain", "no row"),
            Err(error) => {
                if !is_certainly_refused(&error) {
                    self.ledger().unknown(id, secret);
                }
                self.refuse("plain", &error);
            }
        }
        false
    }
}

/// Waits as long as anything may take, and a little more.
fn within<T, E: Into<Failure>>(work: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    let begun = Instant::now();
    block_on(async {
        match tokio::time::timeout(HANG + Duration::from_secs(5), work).await {
            Ok(done) => done.map_err(|error| error.into().0),
            Err(_) => Err(format!("no answer within {:?}", begun.elapsed())),
        }
    })
}

struct Failure(String);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self(text)
    }
}

impl From<sea_orm::DbErr> for Failure {
    fn from(error: sea_orm::DbErr) -> Self {
        Self(error.to_string())
    }
}

/// Whether the server answered that it did nothing. 1180 is said of a commit, 1317 of a statement that was ended.
fn is_certainly_refused(error: &str) -> bool {
    error
        .split_once("error returned from database: ")
        .is_some_and(|(_, said)| !said.starts_with("1180") && !said.starts_with("1317"))
}
