//! Two replicas under load, and everything that happens to a service in a year, within a minute.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{
    Caller, Engine, RestartablePostgres, Room, Row, Service, numbered_rows, until,
};

/// What became of requests, by component and answer.
type Tally = Arc<Mutex<BTreeMap<String, u64>>>;

/// Two replicas, and which of them say that they are ready: a load balancer with a health check.
struct Replicas {
    services: [RwLock<Option<Service>>; 2],
    ready: [AtomicBool; 2],
    urls: [String; 2],
}

impl Replicas {
    fn start(room: &Room) -> Arc<Self> {
        let start = || Service::start_with(room, &[]);
        let services = [start(), start()];
        let urls = [services[0].url.clone(), services[1].url.clone()];
        let ready = [AtomicBool::new(true), AtomicBool::new(true)];
        let replicas = Arc::new(Self {
            services: services.map(|service| RwLock::new(Some(service))),
            ready,
            urls,
        });
        let watched = Arc::downgrade(&replicas);
        let authority = room.path().join("certs/ca.pem");
        std::thread::spawn(move || {
            while let Some(replicas) = watched.upgrade() {
                for (url, ready) in replicas.urls.iter().zip(&replicas.ready) {
                    let answer =
                        Caller::new(url, Some(&authority), None).ask("GET", "/readyz", None);
                    ready.store(answer.is_ok_and(|answer| answer.status == 200), Ordering::Release);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        replicas
    }

    /// Stops one as an orchestrator does, and starts it again where it was.
    fn restart(&self, room: &Room, which: usize) {
        let service = self.services[which].write().unwrap().take().unwrap();
        service.stop();
        let listen = self.urls[which].rsplit("//").next().unwrap().to_owned();
        let again = Service::start_with(room, &[("LISTEN", &listen)]);
        *self.services[which].write().unwrap() = Some(again);
        until("it is ready again", || self.ready[which].load(Ordering::Acquire));
    }

    /// What they complained of last.
    fn warnings(&self) -> String {
        let logs = self
            .services
            .iter()
            .filter_map(|service| service.read().unwrap().as_ref().map(Service::log));
        let lines = |log: String| {
            log.lines()
                .filter(|line| line.contains(" WARN ") || line.contains("ERROR "))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        logs.map(|log| lines(log).iter().rev().take(5).cloned().collect::<Vec<_>>().join("\n"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn signal(&self, name: &str) {
        for service in &self.services {
            service.read().unwrap().as_ref().unwrap().signal(name);
        }
    }
}

/// A component that asks without a pause, and what it takes for a right answer.
fn load(
    component: &'static str,
    replicas: &Arc<Replicas>,
    room: &Room,
    (tally, stop): (&Tally, &Arc<AtomicBool>),
    turn: impl Fn(&Caller, usize) -> Result<String, ureq::Error> + Send + 'static,
) -> JoinHandle<()> {
    let (tally, stop, replicas) = (tally.clone(), stop.clone(), replicas.clone());
    let callers = replicas.urls.clone().map(|url| {
        let of = |what: &str| room.path().join(format!("certs/{component}.{what}"));
        Caller::new(&url, Some(&of("pem").with_file_name("ca.pem")), Some((&of("pem"), &of("key"))))
    });
    std::thread::spawn(move || {
        for n in 0.. {
            if stop.load(Ordering::Acquire) {
                return;
            }
            let ready = |which: &usize| replicas.ready[*which].load(Ordering::Acquire);
            let which = [n % 2, (n + 1) % 2].into_iter().find(ready).unwrap_or(n % 2);
            let said =
                turn(&callers[which], n).unwrap_or_else(|error| format!("no answer: {error}"));
            *tally.lock().unwrap().entry(format!("{component}: {said}")).or_default() += 1;
        }
    })
}

fn counted(tally: &Tally) -> BTreeMap<String, u64> {
    std::mem::take(&mut *tally.lock().unwrap())
}

mod long {
    #[test]
    #[ignore = "takes minutes: make test-long"]
    fn no_answer_is_wrong_whatever_happens() {
        super::no_answer_is_wrong_whatever_happens();
    }
}

/// Every answer is right but for those while the database is away, which are 503 and say when to come back.
fn no_answer_is_wrong_whatever_happens() {
    let postgres = RestartablePostgres::start();
    let rows = numbered_rows(50);
    let room = Room::empty_at(Engine::Postgres, postgres.url.clone());
    room.run(&["migrate", "up", "--to", "1"]).expect(0);
    room.insert_plaintext(&rows);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.serve("").stop();
    let replicas = Replicas::start(&room);
    let (tally, stop) = (Tally::default(), Arc::new(AtomicBool::new(false)));
    let both = (&tally, &stop);
    let workers = askers(&replicas, &room, both, &rows);
    let quiet = |what: &str, event: &mut dyn FnMut()| {
        counted(&tally);
        let begun = Instant::now();
        event();
        // What comes late comes within this time, and after it every component is served as before.
        std::thread::sleep(Duration::from_secs(1));
        let mut found = counted(&tally);
        let after = tally.clone();
        until("every component is served", || {
            let now = after.lock().unwrap();
            now.keys().any(|said| !said.ends_with(": right"))
                || now.len() == 4 && now.values().all(|count| *count >= 3)
        });
        for (said, count) in counted(&tally) {
            *found.entry(said).or_default() += count;
        }
        println!("{what}, {:.0} s: {found:?}", begun.elapsed().as_secs_f64());
        let log = replicas.warnings() + &postgres.log();
        assert!(found.keys().all(|said| said.ends_with(": right")), "{what}: {found:?}\n{log}");
    };
    quiet("nothing", &mut || ());
    for component in ["metadata", "strongroom"] {
        quiet("login rotation", &mut || {
            drop(room.run(&["policy", "rotate-login", component, "--settle", "3"]).expect(0));
        });
    }
    quiet("key roll", &mut || drop(room.run(&["keys", "rotate"]).expect(0)));
    quiet("roll back", &mut || drop(room.run(&["keys", "rotate", "--back"]).expect(0)));
    quiet("certificates", &mut || {
        room.run(&["dev-certs", "--out", "certs", "--renew"]).expect(0);
        replicas.signal("-HUP");
    });
    for which in [0, 1] {
        quiet("replica restart", &mut || replicas.restart(&room, which));
    }
    counted(&tally);
    postgres.restart();
    std::thread::sleep(Duration::from_secs(3));
    until("both are ready again", || {
        replicas.ready.iter().all(|ready| ready.load(Ordering::Acquire))
    });
    let found = counted(&tally);
    println!("database restart: {found:?}");
    let unavailable = |said: &String| said.contains(": 503 ") || said.ends_with(": right");
    assert!(found.keys().all(unavailable), "{found:?}\n{}", replicas.warnings());
    quiet("afterwards", &mut || ());
    stop.store(true, Ordering::Release);
    for worker in workers {
        worker.join().unwrap();
    }
    room.run(&["audit", "verify"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
}

/// Four components, each at what it is for.
fn askers(
    replicas: &Arc<Replicas>,
    room: &Room,
    both: (&Tally, &Arc<AtomicBool>),
    rows: &[Row],
) -> [JoinHandle<()>; 4] {
    let secrets: Arc<Vec<_>> = Arc::new(
        rows.iter()
            .map(|row| (row.id.clone(), row.secret_key.clone(), row.access_key.clone().unwrap()))
            .collect(),
    );
    let reveal = |secrets: Arc<Vec<(String, String, String)>>| {
        move |caller: &Caller, n: usize| {
            let (id, secret, _) = &secrets[n % secrets.len()];
            let answer = caller.ask("GET", &format!("/v1/credentials/{id}?reveal=true"), None)?;
            let right = answer.status == 200 && answer.json()["secret"] == **secret;
            Ok(if right { "right".to_owned() } else { answer.verdict() })
        }
    };
    let find = {
        let secrets = secrets.clone();
        move |caller: &Caller, n: usize| {
            let (id, _, access) = &secrets[n % secrets.len()];
            let answer =
                caller.ask("POST", "/v1/credentials/find", Some(&json!({ "access": access })))?;
            let right = answer.status == 200 && answer.json()["id"] == **id;
            Ok(if right { "right".to_owned() } else { answer.verdict() })
        }
    };
    // Made, shown by whichever replica is next, and removed.
    let come_and_go = |caller: &Caller, _: usize| {
        let user = "/v3/users/alice/credentials/OS-EC2";
        let made = caller.ask("POST", user, Some(&json!({ "tenant_id": "web" })))?;
        if made.status != 201 {
            return Ok(made.verdict());
        }
        let path = format!("{user}/{}", made.json()["credential"]["access"].as_str().unwrap());
        let shown = caller.ask("GET", &path, None)?;
        if shown.status != 200 {
            return Ok(shown.verdict());
        }
        assert_eq!(shown.json()["credential"]["secret"], made.json()["credential"]["secret"]);
        let gone = caller.ask("DELETE", &path, None)?;
        Ok(if gone.status == 204 { "right".to_owned() } else { gone.verdict() })
    };
    let list = |caller: &Caller, _: usize| {
        let answer = caller.ask("GET", "/v1/credentials?limit=20", None)?;
        let right = answer.status == 200
            && answer.json()["credentials"].as_array().is_some_and(|rows| rows.len() == 20);
        Ok(if right { "right".to_owned() } else { answer.verdict() })
    };
    [
        load("metadata", replicas, room, both, reveal(secrets.clone())),
        load("compute", replicas, room, both, find),
        load("api", replicas, room, both, come_and_go),
        load("console", replicas, room, both, list),
    ]
}
