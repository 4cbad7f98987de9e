//! The servers. Each is started once for the whole run; each test has a database of its own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use strongroom_migration::Engine;
use testcontainers::core::{ExecCommand, IntoContainerPort, Mount};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};
use tokio::runtime::Runtime;

use super::run;

pub(super) const PASSWORD: &str = "only-for-tests";

/// One runtime for connections and containers of all tests.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(work)
}

/// The address of a new, empty database on an engine's server.
pub fn new_database(engine: Engine) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let server = server(engine);
    let create = format!("CREATE DATABASE {name}");
    runtime().block_on(server.admin.execute_unprepared(&create)).unwrap();
    server.address(&name)
}

/// The administrator's connections to an engine's server.
pub(super) fn administrator(engine: Engine) -> &'static DatabaseConnection {
    &server(engine).admin
}

/// What a command inside the server's container prints.
pub fn printed_inside(engine: Engine, command: &[&str]) -> Vec<u8> {
    runtime().block_on(async {
        let mut ran =
            server(engine).container.exec(ExecCommand::new(command.iter().copied())).await.unwrap();
        ran.stdout_to_vec().await.unwrap()
    })
}

/// A started server.
struct Server {
    container: ContainerAsync<GenericImage>,
    scheme: &'static str,
    user: &'static str,
    port: u16,
    admin: DatabaseConnection,
}

impl Server {
    fn address(&self, database: &str) -> String {
        format!("{}://{}:{PASSWORD}@127.0.0.1:{}/{database}", self.scheme, self.user, self.port)
    }
}

fn server(engine: Engine) -> &'static Server {
    static SERVERS: OneEach<Server> = OneEach::new();
    SERVERS.of(engine, || runtime().block_on(start(engine)))
}

/// A server of each engine, started when it is first asked for.
pub(super) struct OneEach<S>([OnceLock<S>; 3]);

impl<S> OneEach<S> {
    pub(super) const fn new() -> Self {
        Self([const { OnceLock::new() }; 3])
    }

    pub(super) fn of(&self, engine: Engine, start: impl FnOnce() -> S) -> &S {
        let [postgres, mysql, mariadb] = &self.0;
        let server = match engine {
            Engine::Postgres => postgres,
            Engine::MySql => mysql,
            Engine::MariaDb => mariadb,
            Engine::Sqlite => unreachable!("SQLite has no server"),
        };
        server.get_or_init(start)
    }
}

/// Data in memory, and no waiting for disks that are not there.
const POSTGRES: [&str; 11] = [
    "postgres",
    "-c",
    "fsync=off",
    "-c",
    "full_page_writes=off",
    "-c",
    "synchronous_commit=off",
    "-c",
    "jit=off",
    "-c",
    "max_connections=300",
];
const MYSQL: [&str; 8] = [
    "mysqld",
    "--max-connections=300",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--innodb-log-writer-threads=OFF",
    "--sync-binlog=0",
    "--mysqlx=OFF",
    "--skip-name-resolve",
];
const MARIADB: [&str; 5] = [
    "mariadbd",
    "--max-connections=300",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--skip-name-resolve",
];

/// What a server is started from.
pub(super) struct Recipe {
    image: (&'static str, &'static str),
    pub(super) port: u16,
    password_variable: &'static str,
    data: &'static str,
    pub(super) command: &'static [&'static str],
    pub(super) scheme: &'static str,
    pub(super) user: &'static str,
    pub(super) maintenance: &'static str,
}

impl Recipe {
    pub(super) fn of(engine: Engine) -> Self {
        let (image, password_variable, command): (_, _, &[&str]) = match engine {
            Engine::MySql => (("mysql", "9"), "MYSQL_ROOT_PASSWORD", &MYSQL),
            Engine::MariaDb => (("mariadb", "11.8"), "MARIADB_ROOT_PASSWORD", &MARIADB),
            _ => (("postgres", "17"), "POSTGRES_PASSWORD", &POSTGRES),
        };
        let (port, data, scheme, user, maintenance) = match engine {
            Engine::Postgres => {
                (5432, "/var/lib/postgresql/data", "postgres", "postgres", "postgres")
            }
            _ => (3306, "/var/lib/mysql", "mysql", "root", "mysql"),
        };
        Self { image, port, password_variable, data, command, scheme, user, maintenance }
    }

    /// The same engine in another version.
    pub(super) fn in_version(engine: Engine, version: &'static str) -> Self {
        let mut recipe = Self::of(engine);
        recipe.image.1 = version;
        recipe
    }

    pub(super) fn image(&self) -> GenericImage {
        GenericImage::new(self.image.0, self.image.1)
    }

    /// What every container is asked for, whatever it runs.
    pub(super) fn request(&self, image: GenericImage) -> ContainerRequest<GenericImage> {
        image
            .with_exposed_port(self.port.tcp())
            .with_env_var(self.password_variable, PASSWORD)
            .with_labels(run::labels())
            .with_mount(Mount::tmpfs_mount(self.data))
    }
}

/// An engine that cannot be had fails its tests with one line that says so.
async fn start(engine: Engine) -> Server {
    let recipe = Recipe::of(engine);
    let request = recipe.request(recipe.image()).with_cmd(recipe.command.iter().copied());
    let Recipe { port, scheme, user, maintenance, .. } = recipe;
    let container = started(engine, request.start().await);
    let port = container.get_host_port_ipv4(port).await.unwrap();
    let address = format!("{scheme}://{user}:{PASSWORD}@127.0.0.1:{port}/{maintenance}");
    wait_for(&address).await;
    let mut options = ConnectOptions::new(address);
    options.min_connections(0).max_connections(4).sqlx_logging(false);
    let admin = Database::connect(options).await.unwrap();
    Server { container, scheme, user, port, admin }
}

pub(super) fn started<T, E: std::fmt::Display>(engine: Engine, container: Result<T, E>) -> T {
    container.unwrap_or_else(|error| {
        panic!(
            "no {engine} server: run tests/containers/prepare, which says what is missing ({error})"
        )
    })
}

pub(super) async fn wait_for(address: &str) {
    let begun = Instant::now();
    while let Err(error) = Database::connect(address).await {
        assert!(begun.elapsed() < Duration::from_mins(1), "the server does not start: {error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
