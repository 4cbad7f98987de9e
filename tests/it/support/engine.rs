//! The servers. Each is started once for the whole run; each test has a database of its own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Database};
use testcontainers::core::{IntoContainerPort, Mount};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::runtime::Runtime;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// `make test` removes containers with this label, so that a killed run leaves nothing behind.
const LABEL: (&str, &str) = ("strongroom.test", "1");
const PASSWORD: &str = "only-for-tests";

/// One runtime for connections and containers of all tests.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(work)
}

struct Postgres {
    _container: ContainerAsync<GenericImage>,
    port: u16,
}

/// The address of a new, empty database on the PostgreSQL server.
pub fn new_postgres_database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let maintenance = postgres_address("postgres");
    runtime().block_on(async {
        let server = Database::connect(maintenance).await.unwrap();
        server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        server.close().await.unwrap();
    });
    postgres_address(&name)
}

fn postgres_address(database: &str) -> String {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    let server = SERVER.get_or_init(|| runtime().block_on(start_postgres()));
    format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/{database}", server.port)
}

/// An engine that cannot be had fails its tests with one line that says so.
async fn start_postgres() -> Postgres {
    let image = GenericImage::new("postgres", "17").with_exposed_port(5432.tcp());
    let request = image
        .with_env_var("POSTGRES_PASSWORD", PASSWORD)
        .with_label(LABEL.0, LABEL.1)
        .with_mount(Mount::tmpfs_mount("/var/lib/postgresql/data"))
        .with_cmd(["postgres", "-c", "fsync=off", "-c", "max_connections=300"]);
    let container =
        request.start().await.expect("no PostgreSQL server: run tests/containers/prepare, which says what is missing");
    let port = container.get_host_port_ipv4(5432).await.unwrap();
    wait_for(&format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres")).await;
    Postgres { _container: container, port }
}

async fn wait_for(address: &str) {
    let begun = Instant::now();
    while let Err(error) = Database::connect(address).await {
        assert!(begun.elapsed() < Duration::from_mins(1), "the server does not start: {error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
