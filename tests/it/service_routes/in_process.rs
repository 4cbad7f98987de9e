//! A service inside the test, over plain HTTP on loopback, where every caller is component `api`.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom::db::Address;
use strongroom::key::{FileSource, KeySource as _, RingAccess, Roots};
use strongroom_api::{
    Database, GateSettings, Limits, RouteSet, Server, Service, Settings, Signals, Way,
};
use tokio::task::JoinHandle;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Caller, Room, block_on};

pub struct InProcess {
    pub caller: Caller,
    signals: Signals,
    running: Option<JoinHandle<()>>,
}

impl InProcess {
    pub fn start(room: &Room, routes: RouteSet) -> Self {
        block_on(async {
            let roots = FileSource::new(room.key_file()).root().await.unwrap();
            let database = Database {
                address: Address::parse(room.url()).unwrap(),
                access: RingAccess::new(Roots::from(roots), 0),
                names: None,
            };
            let service = Service::open(settings(), database, "in-process").await.unwrap();
            let server = Server::bind(service, routes, Vec::new()).await.unwrap();
            let url = format!("http://{}", server.address().unwrap());
            let signals = Signals::default();
            let running = Some(tokio::spawn(server.run(signals.clone())));
            Self { caller: Caller::new(&url, None, None), signals, running }
        })
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.signals.stop.notify_one();
        let ended = self.running.take().map(block_on);
        assert!(std::thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

fn settings() -> Settings {
    Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        way: Way::Plain(Some("api".to_owned())),
        replicas: 1,
        gate: GateSettings { queue_per_connection: 10, patience: Duration::from_secs(5) },
        limits: Limits::default(),
        signature_window: Duration::from_mins(5),
        drain: Duration::ZERO,
    }
}

/// Errors that the process logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Listens to everything in this process from now on. Invariant: one test calls it, because a process has one subscriber.
    pub fn listen() -> Self {
        let log = Self::default();
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::ERROR)
            .with_writer(log.clone())
            .init();
        log
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
