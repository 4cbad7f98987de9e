//! What a database holds, byte for byte.

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use super::Room;
use crate::support::Engine;
use crate::support::engine::{printed_inside, runtime};

impl Room {
    /// Everything that the database holds: SQLite's files and MySQL's table files, byte for byte; a full dump of
    /// PostgreSQL, and its table files.
    pub fn everything_stored(&self) -> Vec<u8> {
        match self.engine {
            Engine::Sqlite => loop {
                // A connection that closes moves its log into the database and removes it, at any moment.
                if let Ok(files) = self.sqlite_files() {
                    break files;
                }
            },
            Engine::MySql | Engine::MariaDb => self.innodb_files(),
            Engine::Postgres => {
                let tables = self.query(
                    "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
                    |row| row.try_get_by_index::<String>(0).unwrap(),
                );
                let rows = tables.iter().flat_map(|table| {
                    self.query(&format!("SELECT t::text FROM \"{table}\" t"), |row| {
                        row.try_get_by_index::<String>(0).unwrap()
                    })
                });
                let statistics = self
                    .query("SELECT s::text FROM pg_stats s WHERE schemaname = 'public'", |row| {
                        row.try_get_by_index::<String>(0).unwrap()
                    });
                rows.chain(statistics)
                    .chain([self.heap_files()])
                    .flat_map(String::into_bytes)
                    .collect()
            }
        }
    }

    /// The database and its log; an error where one of them was removed meanwhile.
    fn sqlite_files(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.path())? {
            let path = entry?.path();
            if path.file_name().unwrap().to_string_lossy().starts_with("strongroom.db") {
                bytes.extend(std::fs::read(path)?);
            }
        }
        Ok(bytes)
    }

    /// Every table's file, brought up to date and kept still while it is read.
    fn innodb_files(&self) -> Vec<u8> {
        let names = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()";
        let tables = self.query(names, |row| row.try_get::<String>("", "name").unwrap());
        let session = runtime().block_on(self.db.begin()).unwrap();
        let run = |sql: &str| runtime().block_on(session.execute_unprepared(sql)).unwrap();
        run(&format!("FLUSH TABLES {} FOR EXPORT", tables.join(", ")));
        let folder = self.url.rsplit('/').next().unwrap();
        let files = printed_inside(
            self.engine,
            &["sh", "-c", &format!("cat /var/lib/mysql/{folder}/*.ibd")],
        );
        run("UNLOCK TABLES");
        runtime().block_on(session.rollback()).unwrap();
        files
    }

    /// The own files of the tables with cells, TOAST and indexes included, dead rows and all, in hex.
    fn heap_files(&self) -> String {
        self.execute("CHECKPOINT");
        let sql = "SELECT encode(pg_read_binary_file(pg_relation_filepath(c.oid)), 'hex') FROM pg_class c \
                   WHERE c.relfilenode <> 0 AND (c.relname LIKE 'credential%' OR c.relname LIKE 'api_token%' OR c.oid IN \
                   (SELECT reltoastrelid FROM pg_class WHERE relname IN ('credential', 'api_token') AND relkind = 'r'))";
        let files = self.query(sql, |row| row.try_get_by_index::<String>(0).unwrap());
        let bytes: Vec<u8> = files.iter().flat_map(|file| hex::decode(file).unwrap()).collect();
        bytes.iter().map(|byte| char::from(*byte)).collect::<String>() + &files.concat()
    }
}
