//! Servers that stand together, started and broken by the scripts in `tests/containers`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{repository, run};

pub struct Cluster {
    script: PathBuf,
    name: String,
    /// The administrator's address of each server, without the name of a database.
    servers: Vec<String>,
}

impl Cluster {
    /// Three nodes of MariaDB with Galera.
    pub fn galera() -> Self {
        Self::up("galera")
    }

    /// A primary and its standby of PostgreSQL.
    pub fn failover() -> Self {
        Self::up("failover")
    }

    fn up(kind: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("{kind}-{}-{}", run::name(), NEXT.fetch_add(1, Ordering::Relaxed));
        let script = repository().join("tests/containers").join(kind);
        let mut cluster = Self { script, name, servers: Vec::new() };
        let said = cluster.tell("up", &[]);
        let server = |line: &str| line.rsplit_once('/').unwrap().0.to_owned();
        cluster.servers = said.lines().map(server).collect();
        cluster
    }

    /// Gives the script a command. Its own waits are bounded.
    #[track_caller]
    pub fn tell(&self, command: &str, arguments: &[&str]) -> String {
        self.ask(command, arguments).unwrap_or_else(|said| {
            panic!("{command} {arguments:?}: {said}: tests/containers/prepare says what is missing")
        })
    }

    /// The same; an error where the script failed.
    pub fn ask(&self, command: &str, arguments: &[&str]) -> Result<String, String> {
        let [_, (label, value)] = run::labels();
        let ran = Command::new(&self.script)
            .args([&[command, &self.name], arguments].concat())
            .env("LABELS", format!("{label}={value}"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
        if ran.status.success() { Ok(said(&ran.stdout)) } else { Err(said(&ran.stderr)) }
    }

    /// The same for one server; they are numbered from 1.
    pub fn server(&self, command: &str, server: usize) {
        self.tell(command, &[&server.to_string()]);
    }

    /// Runs SQL at a server's own socket.
    #[track_caller]
    pub fn sql(&self, server: usize, sql: &str) -> String {
        self.tell("sql", &[&server.to_string(), sql]).trim().to_owned()
    }

    /// The address of a database on a server.
    pub fn url(&self, server: usize, database: &str) -> String {
        format!("{}/{database}", self.servers[server - 1])
    }

    /// The address of a database with all servers in it.
    pub fn url_of_all(&self, database: &str) -> String {
        let hosts: Vec<_> =
            self.servers.iter().map(|url| url.rsplit_once('@').unwrap().1).collect();
        let login = self.servers[0].rsplit_once('@').unwrap().0;
        format!("{login}@{}/{database}", hosts.join(","))
    }

    pub fn port(&self, server: usize) -> u16 {
        self.servers[server - 1].rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// What each server is doing: what a test says when something hangs.
    pub fn processes(&self) -> String {
        self.ask("processes", &[]).unwrap_or_else(|said| said)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.ask("down", &[]);
    }
}
