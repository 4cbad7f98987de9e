//! Sessions on the nodes of a cluster: where they go, what they are set to, and how those of a login are found and ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
use serde_json::json;
use strongroom::internal::db::{Access, Address, connect};

use super::writers::HANG;
use crate::support::{Caller, Cluster, Engine, Room, Service, block_on, ran};

const DATABASE: &str = "control";

fn sealed(cluster: &Cluster) -> Room {
    cluster.sql(1, &format!("CREATE DATABASE {DATABASE}"));
    let room = Room::empty_at(Engine::MariaDb, cluster.url(1, DATABASE));
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room
}

/// Names each node as it is reached from here.
fn name_nodes(room: &Room, cluster: &Cluster, nodes: &[usize]) {
    let nodes: Vec<_> =
        nodes.iter().map(|node| format!("\"127.0.0.1:{}\"", cluster.port(*node))).collect();
    let file = room.path().join("strongroom.toml");
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let rest: Vec<_> =
        before.lines().filter(|line| !line.starts_with("nodes") && *line != "[database]").collect();
    let settings = format!("[database]\nnodes = [{}]\n{}\n", nodes.join(", "), rest.join("\n"));
    std::fs::write(file, settings).unwrap();
}

/// A service whose sessions go to one node.
fn serve_at(room: &Room, cluster: &Cluster, node: usize) -> Service {
    let own = room.service_address();
    let (login, database) = (own.rsplit_once('@').unwrap().0, own.rsplit_once('/').unwrap().1);
    let url = format!("{login}@127.0.0.1:{}/{database}", cluster.port(node));
    Service::start_at(room.command(&["serve", "--format", "json"]), room, &url)
}

fn store(api: &Caller, project: usize) -> String {
    api.post("/v1/credentials", &json!({ "user_id": "u", "project_id": format!("p{project}") }))
        .verdict()
}

/// Stores credentials until it is told to stop; how often each was answered.
fn storing(service: &Service, stop: &Arc<AtomicBool>) -> JoinHandle<BTreeMap<String, usize>> {
    let (api, stop) = (service.caller("api"), stop.clone());
    thread::spawn(move || {
        let mut answers = BTreeMap::new();
        for project in 0.. {
            if stop.load(Ordering::Acquire) {
                break;
            }
            *answers.entry(store(&api, project)).or_insert(0) += 1;
        }
        answers
    })
}

fn sessions(cluster: &Cluster, user: &str) -> Vec<String> {
    let sql = format!("SELECT count(*) FROM information_schema.processlist WHERE USER = '{user}'");
    [1, 2, 3].iter().map(|node| cluster.sql(*node, &sql)).collect()
}

/// Two services on two nodes, and a program on the third that does not leave by itself.
#[test]
#[ignore = "takes minutes: make test-cluster"]
fn rotation_of_a_login_ends_its_sessions_on_every_node() {
    let cluster = Cluster::galera();
    let room = sealed(&cluster);
    drop(room.serve(""));
    name_nodes(&room, &cluster, &[1, 2, 3]);
    let (one, two) = (serve_at(&room, &cluster, 1), serve_at(&room, &cluster, 2));
    let stop = Arc::new(AtomicBool::new(false));
    let storing = [storing(&one, &stop), storing(&two, &stop)];
    let old = room.json(&["policy", "login", "api"])["user"].as_str().unwrap().to_owned();
    let (login, database) = {
        let address = room.address_of("api");
        (
            address.rsplit_once('@').unwrap().0.to_owned(),
            address.rsplit_once('/').unwrap().1.to_owned(),
        )
    };
    let mut options =
        ConnectOptions::new(format!("{login}@127.0.0.1:{}/{database}", cluster.port(3)));
    options.max_connections(1).min_connections(1).sqlx_logging(false);
    let held = block_on(Database::connect(options)).unwrap();
    assert_eq!(sessions(&cluster, &old)[2], "1");
    let rotate = ["policy", "rotate-login", "api", "--settle", "12", "--deadline", "15"];
    let rotated = room.json(&rotate);
    assert_eq!(rotated["nodes_not_asked"], json!([]), "{rotated}");
    assert_eq!(rotated["sessions_ended"], 1, "{rotated}");
    assert_eq!(sessions(&cluster, &old), ["0", "0", "0"]);
    assert!(block_on(held.execute_unprepared("SELECT 1")).is_err());
    // A node that cannot be asked is named, the run ends with 3, and the same command ends it.
    name_nodes(&room, &cluster, &[1, 2]);
    let file = room.path().join("strongroom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("nodes = [", "nodes = [\"127.0.0.1:1\", ")).unwrap();
    let left = room.run(&[&rotate[..], &["--format", "json"]].concat()).expect(3).json();
    assert!(left["nodes_not_asked"][0].as_str().unwrap().starts_with("127.0.0.1:1 ("), "{left}");
    assert_eq!(left["sessions_left"], json!(null), "{left}");
    let to = left["to"].clone();
    name_nodes(&room, &cluster, &[1, 2, 3]);
    let done = room.json(&rotate);
    assert_eq!((&done["to"], &done["nodes_not_asked"]), (&to, &json!([])), "{done}");
    stop.store(true, Ordering::Release);
    for answers in storing.map(|storing| storing.join().unwrap()) {
        assert_eq!(answers.keys().collect::<Vec<_>>(), ["201"], "{answers:?}");
        assert!(answers["201"] > 50, "{answers:?}");
    }
}

/// Every new project makes a key, on two nodes at once.
#[test]
#[ignore = "takes minutes: make test-cluster"]
fn programs_on_two_nodes_that_make_keys_at_once_lose_no_request() {
    let cluster = Cluster::galera();
    let room = sealed(&cluster);
    drop(room.serve(""));
    let services = [serve_at(&room, &cluster, 1), serve_at(&room, &cluster, 2)];
    let stop = Arc::new(AtomicBool::new(false));
    let storing: Vec<_> = services
        .iter()
        .flat_map(|service| [storing(service, &stop), storing(service, &stop)])
        .collect();
    for _ in 0..3 {
        room.run(&["keys", "rotate"]).expect(0);
    }
    stop.store(true, Ordering::Release);
    for storing in storing {
        let answers = storing.join().unwrap();
        assert_eq!(answers.keys().collect::<Vec<_>>(), ["201"], "{answers:?}");
    }
    room.run(&["keys", "verify"]).expect(0);
}

#[test]
#[ignore = "takes minutes: make test-cluster"]
fn sessions_read_what_other_nodes_acknowledged_and_change_the_schema_everywhere() {
    let cluster = Cluster::galera();
    cluster.sql(1, &format!("CREATE DATABASE {DATABASE}"));
    for node in 1..=3 {
        cluster.sql(node, "SET GLOBAL wsrep_osu_method = 'RSU', GLOBAL wsrep_dirty_reads = 1");
    }
    let address = Address::parse(&cluster.url(2, DATABASE)).unwrap();
    for access in [Access::Read, Access::Write, Access::Guest, Access::Schema] {
        let db = block_on(connect(&address, access)).unwrap();
        let sql =
            "SELECT CONCAT(@@wsrep_sync_wait, ' ', @@wsrep_osu_method, ' ', @@wsrep_dirty_reads)";
        let told = block_on(
            db.query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::MySql, sql)),
        );
        let told: String = told.unwrap().unwrap().try_get_by_index(0).unwrap();
        assert_eq!(told, "1 TOI OFF", "{access:?}");
    }
    let room = Room::empty_at(Engine::MariaDb, cluster.url(1, DATABASE));
    room.run(&["migrate", "up", "--to", "2"]).expect(0);
    let sql =
        format!("SELECT count(*) FROM information_schema.tables WHERE table_schema = '{DATABASE}'");
    let tables: Vec<_> = [1, 2, 3].iter().map(|node| cluster.sql(*node, &sql)).collect();
    assert!(tables[0] != "0" && tables.iter().all(|count| *count == tables[0]), "{tables:?}");
    let found = room.run(&["doctor", "--format", "json"]).json();
    let codes: Vec<_> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| check["code"].as_str())
        .collect();
    for code in ["schema_method", "dirty_reads", "node_clocks"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
}

/// The node of the sessions is killed: the list leads to another one.
#[test]
#[ignore = "takes minutes: make test-cluster"]
fn a_service_over_a_list_goes_on_when_its_node_is_killed() {
    let cluster = Cluster::galera();
    let room = sealed(&cluster);
    drop(room.serve(""));
    let own = room.service_address();
    let (login, database) = (own.rsplit_once('@').unwrap().0, own.rsplit_once('/').unwrap().1);
    let hosts: Vec<_> =
        [2, 3].iter().map(|node| format!("127.0.0.1:{}", cluster.port(*node))).collect();
    let url = format!("{login}@{}/{database}", hosts.join(","));
    let service = Service::start_at(room.command(&["serve", "--format", "json"]), &room, &url);
    let api = service.caller("api");
    assert_eq!(store(&api, 1), "201");
    cluster.server("kill", 2);
    let begun = Instant::now();
    let mut answers = Vec::new();
    while answers.last().is_none_or(|verdict| verdict != "201") {
        answers.push(store(&api, 2));
        assert!(begun.elapsed() < HANG, "{answers:?}\n{}", cluster.processes());
        thread::sleep(Duration::from_millis(100));
    }
    assert!(
        answers.iter().all(|verdict| verdict == "201" || verdict.starts_with("503 ")),
        "{answers:?}"
    );
    // A command with a list does the same, whichever host comes first.
    let mut command = room.command(&["keys", "verify"]);
    ran(command.env(
        "STRONGROOM__DATABASE__URL",
        cluster
            .url_of_all(DATABASE)
            .replace(&format!(":{}", cluster.port(1)), &format!(":{}", cluster.port(2))),
    ))
    .expect(0);
}
