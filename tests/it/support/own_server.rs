//! A server of a few tests' own, whose settings and accounts they may change as they like: one test at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};
use strongroom_migration::Engine;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};

use super::engine::{OneEach, PASSWORD, Recipe, block_on, started, wait_for};
use super::room::Room;
use super::tls_server::TlsServer;

pub struct OwnServer {
    engine: Engine,
    recipe: Recipe,
    container: Option<ContainerAsync<GenericImage>>,
    port: u16,
    /// Opened before anybody changes a setting.
    admin: Option<DatabaseConnection>,
}

impl OwnServer {
    /// The one that is shared; it is locked for as long as the guard lives.
    pub fn of(engine: Engine) -> MutexGuard<'static, Self> {
        static SERVERS: OneEach<Mutex<OwnServer>> = OneEach::new();
        let server = SERVERS.of(engine, || Mutex::new(Self::start(Recipe::of(engine), engine)));
        server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another version, which ends with the test.
    pub fn in_version(engine: Engine, version: &'static str) -> Self {
        Self::start(Recipe::in_version(engine, version), engine)
    }

    fn start(recipe: Recipe, engine: Engine) -> Self {
        let request = recipe.request(recipe.image()).with_cmd(recipe.command.iter().copied());
        let container = started(engine, block_on(request.start()));
        let port = block_on(container.get_host_port_ipv4(recipe.port)).unwrap();
        let mut server = Self { engine, recipe, container: Some(container), port, admin: None };
        let url = server.url(server.recipe.user, PASSWORD, server.recipe.maintenance);
        server.admin = Some(block_on(async {
            wait_for(&url).await;
            let mut options = ConnectOptions::new(&url);
            options.max_connections(1).min_connections(1).sqlx_logging(false);
            Database::connect(options).await.unwrap()
        }));
        server
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        format!("{}://{user}:{password}@127.0.0.1:{}/{database}", self.recipe.scheme, self.port)
    }

    /// A new database, with its name.
    pub fn new_database(&self) -> (String, String) {
        let name = TlsServer::new_name();
        self.execute(&format!("CREATE DATABASE {name}"));
        (self.url(self.recipe.user, PASSWORD, &name), name)
    }

    /// A room with a new database.
    pub fn room(&self) -> Room {
        Room::empty_at(self.engine, self.new_database().0)
    }

    /// Runs statements when the guard is dropped, also when a test fails.
    pub fn undone(&self, statements: impl IntoIterator<Item = impl Into<String>>) -> Undone<'_> {
        Undone(self, statements.into_iter().map(Into::into).collect())
    }

    /// Runs a statement as the administrator.
    pub fn execute(&self, sql: &str) {
        block_on(self.admin.as_ref().unwrap().execute_unprepared(sql))
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

pub struct Undone<'a>(&'a OwnServer, Vec<String>);

impl Drop for Undone<'_> {
    fn drop(&mut self) {
        for sql in &self.1 {
            let _ = block_on(self.0.admin.as_ref().unwrap().execute_unprepared(sql));
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let (container, admin) = (self.container.take(), self.admin.take());
        block_on(async { drop((admin, container)) });
    }
}
