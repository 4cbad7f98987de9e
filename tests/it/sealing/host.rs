//! A host program: its database, the root, and a table with rows.

use super::*;

pub(super) const ROWS: usize = 300;

/// A host program: its database, and the root.
pub(super) struct Host {
    pub(super) room: Room,
    pub(super) roots: Arc<Roots>,
}

impl Host {
    pub(super) fn new(engine: Engine) -> Self {
        let room = Room::empty(engine);
        let key: RootKey = block_on(FileSource::new(room.key_file()).root()).unwrap();
        let host = Self { room, roots: Arc::new(key.into()) };
        block_on(async { install_ring(&host.connect().await, host.roots.clone()).await }).unwrap();
        host
    }

    pub(super) fn with_tokens(engine: Engine) -> Self {
        let host = Self::new(engine);
        host.room.execute(TOKENS);
        host.insert_tokens();
        host
    }

    pub(super) fn insert_tokens(&self) {
        for token in &tokens() {
            let (name, values) =
                (format!("name {}", token.0), vec![token.0.clone().into(), token.1.clone().into()]);
            let values =
                [values, vec![name.into(), token.2.clone().into(), token.3.clone().into()]]
                    .concat();
            let sql = "INSERT INTO api_token (id, tenant_id, name, token, note) VALUES ($1, $2, $3, $4, $5)";
            assert_eq!(self.room.try_execute(sql, values).unwrap(), 1);
        }
    }

    pub(super) async fn connect(&self) -> DatabaseConnection {
        connect(&Address::parse(self.room.url()).unwrap(), Access::Write).await.unwrap()
    }

    #[track_caller]
    pub(super) fn bring(&self, table: &'static SealedTable, to: Phase) {
        self.try_bring(table, to).unwrap_or_else(|error| panic!("to {to:?}: {error:?}"));
    }

    pub(super) fn try_bring(&self, table: &'static SealedTable, to: Phase) -> Result<(), DbErr> {
        self.bring_with(table, to, Options::default(), Duration::from_mins(2)).unwrap()
    }

    /// `None` when the time was over: then everything is dropped where it stood, sockets too, as when a process ends.
    pub(super) fn bring_with(
        &self,
        table: &'static SealedTable,
        to: Phase,
        options: Options,
        time: Duration,
    ) -> Option<Result<(), DbErr>> {
        let process = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let done = process.block_on(async {
            let db = self.connect().await;
            let sealing = Sealing::new(self.roots.clone()).with_options(options);
            let done =
                tokio::time::timeout(time, sealing.migrate_to(&SchemaManager::new(&db), table, to))
                    .await
                    .ok();
            if done.is_some() {
                db.close().await.unwrap();
            }
            done
        });
        process.shutdown_background();
        done
    }

    pub(super) fn forget(&self, table: &'static SealedTable) -> Result<(), DbErr> {
        block_on(async {
            let db = self.connect().await;
            Sealing::new(self.roots.clone()).forget(&SchemaManager::new(&db), table).await
        })
    }

    pub(super) fn rows(&self) -> Vec<Token> {
        let text = |row: &sea_orm::QueryResult, name: &str| {
            row.try_get::<Option<String>>("", name).unwrap()
        };
        let mut rows = self.room.query("SELECT id, tenant_id, token, note FROM api_token", |row| {
            (
                text(row, "id").unwrap(),
                text(row, "tenant_id"),
                text(row, "token").unwrap(),
                text(row, "note"),
            )
        });
        rows.sort();
        rows
    }

    /// How the table is made, in the engine's own words.
    pub(super) fn definition(&self) -> Vec<String> {
        let room = &self.room;
        let text = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(0).unwrap();
        match room.engine {
            Engine::Sqlite => room
                .query("SELECT sql FROM sqlite_master WHERE tbl_name = 'api_token' AND sql IS NOT NULL ORDER BY name", text)
                .into_iter()
                .map(|sql| sql.replace("\"api_token\"", "api_token"))
                .collect(),
            Engine::Postgres => room.query(
                "SELECT attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attcollation || attnotnull || \
                 coalesce(pg_get_expr(adbin, adrelid), '') AS made FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid \
                 AND adnum = attnum WHERE attrelid = 'api_token'::regclass AND attnum > 0 AND NOT attisdropped \
                 UNION SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'api_token'::regclass \
                 UNION SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'api_token'::regclass \
                 UNION SELECT proname::text FROM pg_proc WHERE proname LIKE 'strongroom%' \
                 UNION SELECT typname::text FROM pg_type WHERE typname LIKE 'strongroom%' AND typtype = 'd' ORDER BY 1",
                text,
            ),
            Engine::MySql | Engine::MariaDb => {
                let mut made = room.query("SHOW CREATE TABLE api_token", |row| row.try_get_by_index::<String>(1).unwrap());
                made.extend(
                    room.query("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()", text),
                );
                // What is the default anyway is left out or not, and the order of keys is of no consequence.
                let defaults = [" DEFAULT NULL", " CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci"];
                let lines = made.iter().flat_map(|it| it.lines()).map(|line| line.trim_end_matches(','));
                let lines = lines.map(|line| defaults.iter().fold(line.to_owned(), |line, it| line.replace(it, "")));
                let (columns, mut others): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("  `"));
                others.sort();
                [columns, others].concat()
            }
        }
    }

    /// Everything that a log could have of the error.
    pub(super) fn refused(&self, sql: &str) -> String {
        self.room
            .try_execute(sql, vec![])
            .map_or_else(|error| format!("{error} {error:?}"), |_| panic!("not refused: {sql}"))
    }

    /// Makes a table, and says why it is not sealed.
    #[track_caller]
    pub(super) fn unsealable(&self, made: &str, table: &'static SealedTable) -> DbErr {
        self.room.execute(made);
        let Err(error) = self.try_bring(table, Phase::Sealed) else { panic!("sealed: {made}") };
        self.room.execute(&format!("DROP TABLE {}", table.name));
        assert!(Unsealable::of(&error).is_some(), "{made}: {error:?}");
        error
    }

    /// Returns a cell that does not open, and gives the ring a key of its id, which does not unwrap.
    pub(super) fn fake_cell(&self) -> String {
        let key = u32::from_be_bytes([0xab; 4]);
        let wrapped = self.bytes("00");
        self.room.execute(&format!(
            "INSERT INTO strongroom_key (id, purpose, scope, generation, wrapped) VALUES ({key}, 'data', 'fake', 1, {wrapped})"
        ));
        self.bytes(&format!("01{}", "ab".repeat(111)))
    }

    pub(super) fn bytes(&self, hex: &str) -> String {
        if self.room.engine == Engine::Postgres {
            format!("'\\x{hex}'::bytea")
        } else {
            format!("x'{hex}'")
        }
    }
}

/// Id, tenant, token and note.
pub(super) type Token = (String, Option<String>, String, Option<String>);

pub(super) const TOKENS: &str = "CREATE TABLE api_token (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64), \
    token varchar(255) DEFAULT 'it''s, (none)' NOT NULL UNIQUE, note varchar(500), name varchar(100) NOT NULL)";

pub(super) fn token(n: usize) -> Token {
    let note = match n % 5 {
        0 => None,
        1 => Some(String::new()),
        2 => Some("żółć 秘密 🔐 ' \" ` \\ ; -- $1 ? %s".to_owned()),
        3 => Some("line one\n\ttwo  ".to_owned()),
        _ => Some(format!("plaintext-note-{n}")),
    };
    (
        format!("row-{n:04}"),
        (!n.is_multiple_of(3)).then(|| format!("tenant-{}", n % 4)),
        format!("plaintext-token-'{n:06}-ż"),
        note,
    )
}

pub(super) fn tokens() -> Vec<Token> {
    (0..ROWS).map(token).collect()
}

/// For cells.
pub(super) fn bytes(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "bytea",
        Engine::Sqlite => "blob",
        Engine::MySql | Engine::MariaDb => "mediumblob",
    }
}

/// Whether a text has none of these, as they are, in hex, or as a list of bytes.
pub(super) fn hides(text: &str, secrets: &[&str]) -> bool {
    let lower = text.to_lowercase();
    let list =
        |secret: &str| format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned();
    secrets.iter().all(|it| {
        !text.contains(it) && !lower.contains(&hex::encode(it)) && !lower.contains(&list(it))
    })
}

/// Options differ from the usual ones by what is set.
pub(super) fn with(set: impl Fn(&mut Options)) -> Options {
    let mut options = Options::default();
    set(&mut options);
    options
}
