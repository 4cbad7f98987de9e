//! Each component has its own database login and pool.

use super::*;

on_every_server!(
    a_component_gets_its_own_login,
    it_logs_in_as_itself_only,
    a_flood_of_one_component_leaves_the_others_alone,
);

/// The login works, and is the caller's own.
fn a_component_gets_its_own_login(engine: Engine) {
    let room = room(engine);
    let service = room.serve("");
    for component in ["console", "auditor"] {
        let given = service
            .caller(component)
            .ask("POST", "/v1/database-logins", None)
            .unwrap()
            .expect(200)
            .json();
        let told = room.json(&["policy", "login", component, "--reveal"]);
        assert_eq!((&given["user"], &given["password"]), (&told["user"], &told["password"]));
        if engine == Engine::MariaDb {
            assert_eq!(given["database"], told["database"]);
        } else {
            assert_eq!(given["database"], room.database());
        }
        assert!(!service.log().contains(given["password"].as_str().unwrap()));
    }
    let rows = room.json(&["audit", "list", "--action", "login"]);
    assert_eq!(rows["rows"].as_array().unwrap().len(), 2);
}

/// Never the migrator, never another component, never with a right too many; and it follows its own rotation.
fn it_logs_in_as_itself_only(engine: Engine) {
    let room = room(engine);
    let service = room.serve("");
    for address in [room.url().to_owned(), room.address_of("api")] {
        let running = room.start_at(&address, &["serve"]);
        let ran = running.finish();
        assert_ne!(ran.code, 0, "{ran:?}");
        if address == room.url() {
            assert!(ran.expect(4).err.contains("policy login strongroom"));
        }
    }
    let rotated = room.json(&["policy", "rotate-login", "strongroom", "--settle", "3"]);
    assert_eq!(rotated["sessions_ended"], 0, "{rotated}");
    let api = service.caller("api");
    api.get("/v1/credentials/row-000001?reveal=true").expect(200);
    until("ready", || service.caller_with(None).get("/readyz").status == 200);
    let user = rotated["to"].as_str().unwrap();
    room.give(user, "SELECT", "credential");
    let ran = room.start_at(&room.service_address(), &["serve"]).finish();
    assert!(ran.expect(4).err.contains("may do more than the policy says"));
}

/// Somebody holds the rows that `api` would delete: its pool and its queue fill, the rest is told to come back, and
/// `compute` notices nothing.
fn a_flood_of_one_component_leaves_the_others_alone(engine: Engine) {
    let room = room(engine);
    // Two connections of api's twenty, and as many places to wait.
    let service = room.serve("replicas = 10\nqueue_per_connection = 1\nqueue_seconds = 1.0\n");
    let compute = service.caller("compute");
    compute.get("/v1/credentials/row-000002").expect(200);
    let api = service.caller("api");
    api.get("/v1/credentials/row-000002").expect(200);
    let holder = room.hold("SELECT id FROM credential WHERE id = 'row-000001' FOR UPDATE");
    let (told, seen) = std::sync::mpsc::channel();
    for _ in 0..12 {
        let (caller, told) = (service.caller("api"), told.clone());
        std::thread::spawn(move || {
            let answer = caller.delete("/v1/credentials/row-000001");
            told.send((answer.verdict(), answer.headers.contains_key("retry-after"))).unwrap();
        });
    }
    drop(told);
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        compute.get("/v1/credentials/row-000002").expect(200);
    }
    // Less than one of api's requests takes.
    assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
    let answers: Vec<_> = seen.into_iter().collect();
    block_on(holder.rollback()).unwrap();
    assert!(answers.iter().all(|(_, says_when)| *says_when), "{answers:?}");
    let count = |verdict: &str| answers.iter().filter(|(answer, _)| answer == verdict).count();
    assert_eq!(count("429 queue_full"), 8, "{answers:?}");
    assert_eq!((count("503 database_busy"), count("503 pool_busy")), (2, 2), "{answers:?}");
    api.delete("/v1/credentials/row-000001").expect(204);
    let metrics = compute.get("/metrics").text;
    assert!(metrics.contains("strongroom_turned_away_total{component=\"api\"} 10"), "{metrics}");
}
