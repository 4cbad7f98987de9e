//! A PostgreSQL primary with a standby that is promoted without the last commits, and a host whose programs reach either.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Caller, Cluster, Engine, Ran, Relay, Room, Service};

/// How long a failover may keep a program from storing, once there is a primary again.
pub const SERVED_AGAIN: Duration = Duration::from_secs(30);

pub struct Pair {
    pub cluster: Cluster,
    pub relay: Relay,
    pub room: Room,
    pub primary: usize,
}

impl Pair {
    /// A database at version 1 behind an address that stays. The host knows two roots, and remembers epochs in `host.epoch`.
    pub fn start() -> Self {
        let cluster = Cluster::failover();
        let relay = Relay::to(cluster.port(1));
        cluster.sql(1, "CREATE DATABASE control");
        let room = Room::empty_at(Engine::Postgres, relay.in_front_of(&cluster.url(1, "control")));
        let next = room.path().join("next.key");
        fs::write(&next, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n").unwrap();
        fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).unwrap();
        let keys = "[keys]\nfile = \"strongroom.key\"\nepoch_file = \"host.epoch\"\n\n[keys.next]\nsource = \"file\"\nfile = \"next.key\"\n";
        fs::write(room.path().join("strongroom.toml"), keys).unwrap();
        room.run(&["migrate", "up", "--to", "1"]).expect(0);
        Self { cluster, relay, room, primary: 1 }
    }

    /// What is committed from now on will be lost.
    pub fn lag(&self) {
        self.cluster.server("lag", 3 - self.primary);
    }

    /// The primary is killed, and the standby takes its place.
    pub fn fail_over(&mut self) {
        self.primary = 3 - self.primary;
        self.cluster.server("over", self.primary);
        self.relay.turn_to(self.cluster.port(self.primary));
    }

    /// The server that was killed becomes a standby with all that the primary has.
    pub fn follow(&self) {
        self.cluster.server("follow", 3 - self.primary);
    }

    /// The address of the primary itself.
    pub fn url(&self) -> String {
        self.cluster.url(self.primary, "control")
    }

    /// What a command says whose host has another memory of epochs.
    pub fn run_elsewhere(&self, arguments: &[&str]) -> Ran {
        let mut command = self.room.command(arguments);
        crate::support::ran(command.env("STRONGROOM__KEYS__EPOCH_FILE", "elsewhere.epoch"))
    }

    /// The operator's word on this host; the command that refuses names the epoch.
    #[track_caller]
    pub fn accept(&self) -> String {
        let refused = self.room.run(&["keys", "verify", "--format", "json"]).expect(4);
        let error = refused.json()["error"].clone();
        let (_, after) = error["help"]
            .as_str()
            .and_then(|help| help.split_once("keys accept-epoch "))
            .unwrap_or_else(|| panic!("no command to accept it: {error}"));
        let epoch: String = after.chars().take_while(char::is_ascii_digit).collect();
        self.room.run(&["keys", "accept-epoch", &epoch]).expect(0);
        error["code"].as_str().unwrap().to_owned()
    }
}

/// A credential that a service acknowledged.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: String,
    pub secret: String,
}

/// Stores a credential through the service; what was answered instead, where it was not.
pub fn create(api: &Caller, project: &str) -> Result<Made, String> {
    let body = json!({ "user_id": "load", "type": "ec2", "project_id": project });
    let answer =
        api.ask("POST", "/v1/credentials", Some(&body)).map_err(|error| error.to_string())?;
    if answer.status != 201 {
        return Err(answer.verdict());
    }
    let said: Value = answer.json();
    let text = |name: &str| said[name].as_str().unwrap().to_owned();
    Ok(Made { id: text("id"), secret: text("secret") })
}

/// Stores credentials until so many are acknowledged, within the time in which a service must be back.
#[track_caller]
pub fn create_until(api: &Caller, project: &str, wanted: usize) -> Vec<Made> {
    let begun = Instant::now();
    let mut made = Vec::new();
    while made.len() < wanted {
        match create(api, project) {
            Ok(one) => made.push(one),
            Err(said) => {
                assert!(
                    begun.elapsed() < SERVED_AGAIN,
                    "not served after {SERVED_AGAIN:?}: {said}"
                );
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
    made
}

/// Starts the service anew: what it held in memory is gone.
pub fn restarted(service: Service, room: &Room) -> Service {
    service.stop();
    Service::start_with(room, &[])
}

/// Every one of them must come out again.
#[track_caller]
pub fn assert_all_open(service: &Service, made: &[Made]) {
    let api = service.caller("api");
    let lost: Vec<_> = made
        .iter()
        .filter_map(|made| {
            let answer = api.get(&format!("/v1/credentials/{}?reveal=true", made.id));
            let is_right = answer.status == 200 && answer.json()["secret"] == made.secret;
            (!is_right).then(|| format!("{}: {}", made.id, answer.verdict()))
        })
        .collect();
    assert!(lost.is_empty(), "{} of {} acknowledged and lost: {lost:#?}", lost.len(), made.len());
}
