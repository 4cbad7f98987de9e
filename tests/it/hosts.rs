//! Addresses with several hosts, and servers that are not the primary.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use strongroom::internal::db::{Access, Address, connect};

use crate::support::{
    Engine, Forwarder, OwnServer, Ran, Room, Service, block_on, numbered_rows, on_every_server,
    ran, until,
};

on_every_server!(
    of_several_hosts_the_one_that_takes_changes_is_used,
    no_primary_among_the_hosts_ends_with_6_and_says_why_of_each,
    a_pool_moves_to_the_next_host_when_its_host_is_gone,
    a_service_goes_on_when_its_host_is_gone,
);

mod read_only {
    use super::*;

    #[test]
    fn on_mysql_a_service_answers_503_and_goes_on() {
        a_service_on_a_server_that_turns_read_only_answers_503_and_goes_on(Engine::MySql);
    }

    #[test]
    fn on_mariadb_a_service_answers_503_and_goes_on() {
        a_service_on_a_server_that_turns_read_only_answers_503_and_goes_on(Engine::MariaDb);
    }
}

/// The room's address with these ports in place of its own.
fn at(room: &Room, ports: &[u16]) -> String {
    let (before, after) = room.url().rsplit_once('@').unwrap();
    let (_, database) = after.split_once('/').unwrap();
    let hosts: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("{before}@{}/{database}", hosts.join(","))
}

fn run(room: &Room, url: &str, arguments: &[&str]) -> Ran {
    ran(room.command(arguments).env("STRONGROOM__DATABASE__URL", url))
}

/// Makes a server's sessions begin as a standby's do, until the guard is dropped.
fn make_read_only(server: &OwnServer, engine: Engine) -> impl Drop + '_ {
    let (on, off): (&[&str], &[&str]) = match engine {
        Engine::Postgres => (
            &["ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"],
            &[
                "SET default_transaction_read_only = off",
                "ALTER SYSTEM RESET default_transaction_read_only",
                "SELECT pg_reload_conf()",
            ],
        ),
        _ => (&["SET GLOBAL read_only = 1"], &["SET GLOBAL read_only = 0"]),
    };
    let undone = server.undone(off.iter().copied());
    for sql in on {
        server.execute(sql);
    }
    undone
}

/// Two servers with a database of the same name; the first takes no changes. It has no tables: nothing is written there.
fn of_several_hosts_the_one_that_takes_changes_is_used(engine: Engine) {
    let room = Room::empty(engine);
    let other = OwnServer::of(engine);
    other.execute(&format!("CREATE DATABASE {}", room.database()));
    let there = Room::empty_at(engine, at(&room, &[other.port()]));
    let _undone = make_read_only(&other, engine);
    until("the setting counts", || run(&room, &writing(&there), &["migrate", "status"]).code == 6);
    for (ports, up) in [([other.port(), room.port()], 2), ([room.port(), other.port()], 3)] {
        let url = at(&room, &ports);
        run(&room, &url, &["migrate", "up", "--to", &up.to_string()]).expect(0);
        let said = run(&room, &url, &["migrate", "status", "--format", "json"]).expect(0).json();
        let applied = said["migrations"].as_array().unwrap().iter();
        assert_eq!(applied.filter(|step| step["applied"] == true).count(), up, "{said}");
    }
    assert_eq!(there.tables(), 0);
    assert!(room.tables() > 0);
}

/// The room's address, for a server that takes changes.
fn writing(room: &Room) -> String {
    match room.engine {
        Engine::Postgres => format!("{}?target_session_attrs=read-write", room.url()),
        // A list of one server: it alone is asked.
        _ => at(room, &[room.port(), room.port()]),
    }
}

fn no_primary_among_the_hosts_ends_with_6_and_says_why_of_each(engine: Engine) {
    let room = Room::empty(engine);
    let other = OwnServer::of(engine);
    other.execute(&format!("CREATE DATABASE {}", room.database()));
    let there = Room::empty_at(engine, at(&room, &[other.port()]));
    let _undone = make_read_only(&other, engine);
    until("the setting counts", || run(&room, &writing(&there), &["migrate", "status"]).code == 6);
    let url = at(&room, &[1, other.port()]);
    let begun = Instant::now();
    let failed = run(&room, &url, &["migrate", "status", "--format", "json"]).expect(6);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let error = &failed.json()["error"];
    assert_eq!(error["code"], "database_not_primary", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("host 1: ") && message.contains("host 2: "), "{message}");
    assert!(message.contains("read-only"), "{message}");
    assert!(error["help"].as_str().unwrap().contains("HOST:PORT,HOST:PORT"), "{error}");
    // Where nobody answers it is as with one host.
    let gone =
        run(&room, &at(&room, &[1, 2]), &["migrate", "status", "--format", "json"]).expect(6);
    assert_eq!(gone.json()["error"]["code"], "database_unreachable", "{gone:?}");
}

async fn answers(db: &DatabaseConnection) -> bool {
    db.execute_unprepared("SELECT 1").await.is_ok()
}

fn a_pool_moves_to_the_next_host_when_its_host_is_gone(engine: Engine) {
    let room = Room::empty(engine);
    let (first, second) = (Forwarder::to(room.port()), Forwarder::to(room.port()));
    let user = format!("moves_{}", room.database());
    let url = at(&room, &[first.port, second.port]).replace("//root:", &format!("//{user}:"));
    if engine != Engine::Postgres {
        room.execute(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'only-for-tests'"));
        room.execute(&format!("GRANT ALL ON {}.* TO '{user}'@'%'", room.database()));
    }
    let address = Address::parse(&url).unwrap();
    let db = block_on(connect(&address, Access::Write)).unwrap();
    assert!(block_on(answers(&db)));
    first.close();
    let begun = Instant::now();
    until("the pool is at the second host", || block_on(answers(&db)));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    for _ in 0..20 {
        assert!(block_on(answers(&db)));
    }
    // What follows the hosts ends with the pool, and no session stays.
    let mine = |room: &Room| {
        room.number(&match engine {
            Engine::Postgres => "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'strongroom' AND datname = current_database()".to_owned(),
            Engine::MySql => format!("SELECT count(*) FROM performance_schema.threads WHERE PROCESSLIST_USER = '{user}'"),
            _ => format!("SELECT count(*) FROM information_schema.processlist WHERE USER = '{user}'"),
        })
    };
    assert!(mine(&room) > 0);
    drop(db);
    until("no session is left", || mine(&room) == 0);
}

fn a_service_goes_on_when_its_host_is_gone(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let (first, second) = (Forwarder::to(room.port()), Forwarder::to(room.port()));
    let service = serve_at(&room, &[first.port, second.port]);
    let api = service.caller("api");
    api.get("/v1/credentials/row-000001").expect(200);
    first.close();
    let begun = Instant::now();
    let mut answered = Vec::new();
    while answered.last().is_none_or(|verdict| verdict != "200") {
        answered.push(api.get("/v1/credentials/row-000001").verdict());
        assert!(begun.elapsed() < Duration::from_secs(20), "{answered:?}");
    }
    let told = |verdict: &String| verdict == "200" || verdict.starts_with("503 ");
    assert!(answered.iter().all(told), "{answered:?}");
    for _ in 0..10 {
        api.get("/v1/credentials/row-000002").expect(200);
    }
}

/// A service over a list of hosts.
fn serve_at(room: &Room, ports: &[u16]) -> Service {
    drop(room.serve(""));
    let own = room.service_address();
    let (before, after) = own.rsplit_once('@').unwrap();
    let hosts: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let url = format!("{before}@{}/{}", hosts.join(","), after.split_once('/').unwrap().1);
    Service::start_at(room.command(&["serve", "--format", "json"]), room, &url)
}

/// One host, as behind a proxy. Logins of components have no right to write past `read_only`.
fn a_service_on_a_server_that_turns_read_only_answers_503_and_goes_on(engine: Engine) {
    let server = OwnServer::of(engine);
    let room = server.room();
    room.run(&["migrate", "up", "--yes"]).expect(0);
    let service = room.serve("");
    let api = service.caller("api");
    let new = serde_json::json!({ "user_id": "u", "project_id": "p" });
    let made = api.post("/v1/credentials", &new);
    assert_eq!(made.status, 201, "{made:?}");
    let before = sessions(&room, engine);
    let undone = make_read_only(&server, engine);
    let mut refused = api.post("/v1/credentials", &new);
    for _ in 0..20 {
        if refused.status != 503 {
            break;
        }
        assert_eq!(refused.verdict(), "503 database_not_primary");
        assert!(refused.headers.contains_key("retry-after"));
        refused = api.post("/v1/credentials", &new);
    }
    assert_eq!(refused.verdict(), "503 database_not_primary");
    drop(undone);
    until("it stores again", || api.post("/v1/credentials", &new).status == 201);
    // A proxy may have another server behind new sessions: those of before are not used again.
    api.get("/v1/credentials").expect(200);
    until("no session of before is left", || sessions(&room, engine).is_disjoint(&before));
    let log = service.stop();
    assert!(log.contains("the database server is not the primary"), "{log}");
}

/// The sessions of the components' logins.
fn sessions(room: &Room, engine: Engine) -> BTreeSet<i64> {
    let from = match engine {
        Engine::MySql => {
            "SELECT CAST(PROCESSLIST_ID AS SIGNED) FROM performance_schema.threads WHERE PROCESSLIST_USER LIKE 'sr%'"
        }
        _ => "SELECT CAST(ID AS SIGNED) FROM information_schema.processlist WHERE USER LIKE 'sr%'",
    };
    room.query(from, |row| row.try_get_by_index(0).unwrap()).into_iter().collect()
}
