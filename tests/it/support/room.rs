//! A test's own folder, key and database.

mod stored;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, Statement,
    TransactionTrait as _, Value,
};
use tempfile::TempDir;

use strongroom_migration::Engine;

use super::engine::{new_database, printed_inside, runtime};
use super::process::{self, Ran, Running};
use super::removal;
use super::rows::Row;

pub struct Room {
    pub engine: Engine,
    folder: TempDir,
    url: String,
    db: DatabaseConnection,
    /// Whether the database was made for this test on a server of all tests.
    is_on_shared_server: bool,
}

impl Room {
    /// Nothing but a key and an empty database.
    pub fn empty(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        let url = match engine {
            Engine::Sqlite => {
                format!("sqlite://{}?mode=rwc", folder.path().join("strongroom.db").display())
            }
            _ => new_database(engine),
        };
        Self::at(engine, folder, url, engine != Engine::Sqlite)
    }

    /// The same, with a database on a server of the test's own.
    pub fn empty_at(engine: Engine, url: String) -> Self {
        Self::at(engine, TempDir::new().unwrap(), url, false)
    }

    fn at(engine: Engine, folder: TempDir, url: String, is_on_shared_server: bool) -> Self {
        // The harness's own pool must not hold SQLite's file open while the program vacuums it.
        let db = runtime().block_on(async {
            let mut options = sea_orm::ConnectOptions::new(&url);
            options
                .min_connections(0)
                .max_connections(4)
                .idle_timeout(std::time::Duration::from_millis(100))
                .sqlx_logging(false);
            Database::connect(options).await.unwrap()
        });
        let room = Self { engine, folder, url, db, is_on_shared_server };
        room.run(&["init"]).expect(0);
        room
    }

    /// Plaintext rows at version 1, written by plain SQL.
    pub fn with_plaintext(engine: Engine, rows: &[Row]) -> Self {
        let room = Self::empty(engine);
        room.run(&["migrate", "up", "--to", "1"]).expect(0);
        room.insert_plaintext(rows);
        room
    }

    /// The same rows, sealed.
    pub fn sealed(engine: Engine, rows: &[Row]) -> Self {
        let room = Self::with_plaintext(engine, rows);
        room.run(&["migrate", "up", "--yes"]).expect(0);
        room
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn key_file(&self) -> PathBuf {
        self.path().join("strongroom.key")
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.current_dir(self.path()).args(arguments);
        command
            .env_remove("RUST_LOG")
            .env_remove("DATABASE_URL")
            .env("STRONGROOM__DATABASE__URL", &self.url);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        process::ran(&mut self.command(arguments))
    }

    /// Runs with `--format json`; the document on standard output.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        self.run(&[arguments, &["--format", "json"]].concat()).json()
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        Running(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// The same, with the database elsewhere.
    pub fn start_at(&self, url: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        command.env("STRONGROOM__DATABASE__URL", url);
        Running(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// The database's name on its server.
    pub fn database(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    /// What a shell command prints, inside the container of the database's server.
    pub fn printed_by_the_server_host(&self, command: &str) -> String {
        String::from_utf8(printed_inside(self.engine, &["sh", "-c", command]))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// The port of the database's server.
    pub fn port(&self) -> u16 {
        let (_, after) = self.url.rsplit_once(':').unwrap();
        after.split_once('/').unwrap().0.parse().unwrap()
    }

    /// A transaction that holds what it locked until it is dropped.
    pub fn hold(&self, sql: &str) -> DatabaseTransaction {
        runtime().block_on(async {
            let transaction = self.db.begin().await.unwrap();
            transaction.execute_unprepared(sql).await.unwrap();
            transaction
        })
    }

    /// Runs statements as they are, on one connection.
    pub fn execute(&self, sql: &str) {
        runtime().block_on(self.db.execute_unprepared(sql)).unwrap();
    }

    /// Runs statements in one transaction.
    pub fn in_one_transaction(&self, statements: &[String]) {
        runtime().block_on(async {
            let transaction = self.db.begin().await.unwrap();
            for statement in statements {
                transaction.execute_unprepared(statement).await.unwrap();
            }
            transaction.commit().await.unwrap();
        });
    }

    /// Runs a statement as an attacker does, or a restored backup: past the guards that bind cells to their rows and keys.
    pub fn tamper(&self, sql: &str) {
        self.drop_bound_guards();
        self.drop_key_guards();
        self.execute(sql);
    }

    pub fn drop_key_guards(&self) {
        self.drop_guards("5_key");
    }

    pub fn drop_bound_guards(&self) {
        self.drop_guards("4_bound");
    }

    fn drop_guards(&self, kind: &str) {
        let on = if self.engine == Engine::Postgres { " ON credential" } else { "" };
        for event in ["insert", "update"] {
            let guard = format!("strongroom_{kind}_{event}_credential");
            self.execute(&format!("DROP TRIGGER IF EXISTS {guard}{on}"));
        }
    }

    /// Runs a statement inside the engine's own transactions: after a page was read, before it is written.
    /// Whatever another program could do in between, this does every time.
    pub fn in_the_midst_of_a_page(&self, statement: &str) {
        match self.engine {
            Engine::Sqlite => self.execute(&format!(
                "CREATE TRIGGER midst AFTER UPDATE OF writing ON strongroom_reseal WHEN new.writing BEGIN {statement}; END"
            )),
            Engine::MySql | Engine::MariaDb => self.execute(&format!(
                "CREATE TRIGGER midst AFTER UPDATE ON strongroom_reseal FOR EACH ROW \
                 BEGIN IF new.writing AND NOT old.writing THEN {statement}; END IF; END"
            )),
            Engine::Postgres => {
                self.execute(&format!(
                    "CREATE OR REPLACE FUNCTION midst() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$"
                ));
                self.execute(
                    "CREATE TRIGGER midst AFTER UPDATE OF writing ON strongroom_reseal FOR EACH ROW WHEN (new.writing) EXECUTE FUNCTION midst()",
                );
            }
        }
    }

    pub fn no_longer_in_the_midst(&self) {
        let on = if self.engine == Engine::Postgres { " ON strongroom_reseal" } else { "" };
        self.execute(&format!("DROP TRIGGER midst{on}"));
    }

    pub fn try_execute(&self, sql: &str, values: Vec<Value>) -> Result<u64, sea_orm::DbErr> {
        // MySQL and MariaDB number by place.
        let by_place = matches!(self.engine, Engine::MySql | Engine::MariaDb);
        let numbers = (1..=values.len()).rev().filter(|_| by_place);
        let sql = numbers.fold(sql.to_owned(), |sql, n| sql.replace(&format!("${n}"), "?"));
        let statement = Statement::from_sql_and_values(self.db.get_database_backend(), sql, values);
        runtime().block_on(async { Ok(self.db.execute_raw(statement).await?.rows_affected()) })
    }

    /// How many tables there are; on SQLite, how many things of any kind.
    pub fn tables(&self) -> i64 {
        self.number(match self.engine {
            Engine::Sqlite => "SELECT count(*) FROM sqlite_master",
            Engine::Postgres => "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
            Engine::MySql | Engine::MariaDb => {
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
            }
        })
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.query(sql, |row| row.try_get_by_index(0).unwrap()).remove(0)
    }

    pub fn text(&self, sql: &str) -> String {
        self.query(sql, |row| row.try_get_by_index(0).unwrap()).remove(0)
    }

    pub fn bytes(&self, sql: &str) -> Vec<u8> {
        self.query(sql, |row| row.try_get_by_index(0).unwrap()).remove(0)
    }

    pub fn query<T>(&self, sql: &str, read: impl Fn(&sea_orm::QueryResult) -> T) -> Vec<T> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = runtime().block_on(self.db.query_all_raw(statement)).unwrap();
        rows.iter().map(read).collect()
    }

    pub fn insert_plaintext(&self, rows: &[Row]) {
        for chunk in rows.chunks(500) {
            let tuples: Vec<String> = (0..chunk.len())
                .map(|n| {
                    format!(
                        "({})",
                        (1..=7).map(|k| format!("${}", n * 7 + k)).collect::<Vec<_>>().join(",")
                    )
                })
                .collect();
            let sql = format!(
                "INSERT INTO credential (id, user_id, project_id, type, access_key, secret_key, extra) VALUES {}",
                tuples.join(",")
            );
            let values = chunk.iter().flat_map(|row| -> [Value; 7] {
                [
                    row.id.clone().into(),
                    row.user_id.clone().into(),
                    row.project_id.clone().into(),
                    row.kind.clone().into(),
                    row.access_key.clone().into(),
                    row.secret_key.clone().into(),
                    row.extra.clone().into(),
                ]
            });
            self.try_execute(&sql, values.collect()).unwrap();
        }
    }

    /// Every cell there is, in hex.
    pub fn query_cells(&self) -> Vec<String> {
        let there = self.number(match self.engine {
            Engine::Sqlite => "SELECT count(*) FROM pragma_table_info('credential') WHERE name = 'secret_key_sealed'",
            Engine::Postgres => {
                "SELECT count(*) FROM pg_attribute WHERE attrelid = 'credential'::regclass AND attname = 'secret_key_sealed'"
            }
            Engine::MySql | Engine::MariaDb => {
                "SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'secret_key_sealed'"
            }
        });
        if there == 0 {
            return Vec::new();
        }
        let sql = "SELECT secret_key_sealed FROM credential WHERE secret_key_sealed IS NOT NULL";
        self.query(sql, |row| hex::encode(row.try_get_by_index::<Vec<u8>>(0).unwrap()))
    }

    pub fn plaintext(&self) -> Vec<Row> {
        let mut rows = self.query(
            "SELECT id, user_id, project_id, type, access_key, secret_key, extra FROM credential",
            |row| Row {
                id: row.try_get("", "id").unwrap(),
                user_id: row.try_get("", "user_id").unwrap(),
                project_id: row.try_get("", "project_id").unwrap(),
                kind: row.try_get("", "type").unwrap(),
                access_key: row.try_get("", "access_key").unwrap(),
                secret_key: row.try_get("", "secret_key").unwrap(),
                extra: row.try_get("", "extra").unwrap(),
            },
        );
        rows.sort();
        rows
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.is_on_shared_server {
            removal::remove(self.engine, self.database(), self.db.clone());
        }
    }
}

pub fn run_with_input(room: &Room, arguments: &[&str], input: &str) -> Ran {
    process::run(room.command(arguments), input)
}

/// Types the first command that a text has in backquotes into a shell, as it stands.
#[track_caller]
pub fn typed(room: &Room, text: &str) -> Ran {
    let text = text.split_once("help: ").map_or(text, |(_, help)| help);
    let commands =
        text.split('`').skip(1).step_by(2).filter(|command| command.starts_with("strongroom "));
    // One that only looks is no cure.
    let command = commands
        .clone()
        .find(|command| !command.contains("--dry-run"))
        .unwrap_or_else(|| panic!("no command: {text}"));
    let folder = Path::new(env!("CARGO_BIN_EXE_strongroom")).parent().unwrap();
    let mut typed = Command::new("sh");
    typed
        .current_dir(room.path())
        .args(["-c", command])
        .env("STRONGROOM__DATABASE__URL", &room.url);
    typed.env_remove("RUST_LOG").env_remove("DATABASE_URL");
    let path = std::env::var("PATH").unwrap();
    typed.env("PATH", format!("{}:{path}", folder.display()));
    process::ran(typed.stdin(Stdio::null()))
}
