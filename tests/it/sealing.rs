//! A host program's own tables, sealed and opened again by its own migration steps.

mod new_tenants;
mod quarantine;
mod row_order;
mod scrub;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, Value};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager, async_trait,
};
use strongroom::crypto::RootKey;
use strongroom::db::{Access, Address, LockError, connect};
use strongroom::key::{FileSource, KeySource as _, Roots};
use strongroom::reseal::Options;
use strongroom::schema::{HostError, HostRunner, Sealing, Target, Unsealable, install_ring};
use strongroom_entity::{IdColumn, IdKind, OwnerColumn, OwnerKind, SealedColumn, SealedTable};
use strongroom_migration::Phase;
use uuid::Uuid;

use crate::support::{Engine, Room, block_on, long_on_every_engine, on_every_engine};

on_every_engine!(
    there_and_back_leaves_the_table_as_it_was,
    a_table_with_uuid_ids_and_integer_owners,
    every_phase_leads_to_every_other,
    cut_short_the_same_call_goes_on,
    a_program_that_knows_only_plaintext_loses_nothing,
    plaintext_never_gets_into_a_cell_column,
    a_row_stays_with_what_its_cells_are_bound_to,
    a_cell_that_does_not_open_keeps_its_plaintext,
    what_could_not_be_given_back_is_refused,
    what_guards_would_not_see_is_refused,
    a_table_of_cells_is_refused_for_the_same_and_for_its_types,
    a_name_may_have_its_type_in_it,
    what_is_written_back_is_read_again,
    a_column_that_the_host_added_since_is_not_ours,
    a_step_stays_the_same_when_its_table_gains_a_column,
    why_a_step_failed_can_be_told,
    a_table_that_was_made_with_its_cells,
    the_program_rolls_verifies_and_retires_with_tables_it_never_heard_of,
    the_ring_of_a_sealed_table_does_not_go,
);

long_on_every_engine!(dropped_at_any_moment_the_same_call_goes_on);

const ROWS: usize = 300;

const fn column(
    label: &'static str,
    plain: Option<&'static str>,
    sealed: &'static str,
    index: Option<&'static str>,
    nullable: bool,
) -> SealedColumn {
    SealedColumn { label, plain, sealed, index, nullable }
}

const TEXT_OWNER: OwnerColumn =
    OwnerColumn { name: "tenant_id", label: "tenant", kind: OwnerKind::Text };

const TABLE: &SealedTable = &SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[TEXT_OWNER],
    scope: Some("tenant_id"),
    columns: &[
        column("api_token.token", Some("token"), "token_sealed", Some("token_index"), false),
        column("api_token.note", Some("note"), "note_sealed", None, true),
    ],
};

const BY_UUID: &SealedTable = &SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Uuid },
    owners: &[
        OwnerColumn { name: "number", label: "number", kind: OwnerKind::Integer },
        OwnerColumn { name: "account", label: "account", kind: OwnerKind::Uuid },
    ],
    scope: Some("number"),
    columns: TABLE.columns,
};

const BORN: &SealedTable = &SealedTable {
    name: "vault_item",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[TEXT_OWNER],
    scope: None,
    columns: &[column("vault_item.secret", None, "secret", Some("secret_index"), false)],
};

const BORN_WITH_ANOTHER: &SealedTable = &SealedTable {
    columns: &[
        column("vault_item.secret", None, "secret", Some("secret_index"), false),
        column("vault_item.hint", None, "hint", None, true),
    ],
    name: "vault_item",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[TEXT_OWNER],
    scope: None,
};

const NAMED_BY_TYPE: &SealedTable = &SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[],
    scope: None,
    columns: &[
        column("api_token.plaintext", Some("plaintext"), "plaintext_sealed", None, false),
        column("api_token.note_text", Some("note_text"), "note_text_sealed", None, true),
    ],
};

const SAME_LABEL: &SealedTable = &SealedTable {
    name: "another",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[],
    scope: None,
    columns: &[column("api_token.note", Some("note"), "note_sealed", None, true)],
};
const OTHERWISE: &SealedTable = &SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Text },
    owners: &[],
    scope: None,
    columns: TABLE.columns,
};

/// A host program: its database, and the root.
struct Host {
    room: Room,
    roots: Arc<Roots>,
}

impl Host {
    fn new(engine: Engine) -> Self {
        let room = Room::empty(engine);
        let key: RootKey = block_on(FileSource::new(room.key_file()).root()).unwrap();
        let host = Self { room, roots: Arc::new(key.into()) };
        block_on(async { install_ring(&host.connect().await, host.roots.clone()).await }).unwrap();
        host
    }

    fn with_tokens(engine: Engine) -> Self {
        let host = Self::new(engine);
        host.room.execute(TOKENS);
        host.insert_tokens();
        host
    }

    fn insert_tokens(&self) {
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

    async fn connect(&self) -> DatabaseConnection {
        connect(&Address::parse(self.room.url()).unwrap(), Access::Write).await.unwrap()
    }

    #[track_caller]
    fn bring(&self, table: &'static SealedTable, to: Phase) {
        self.try_bring(table, to).unwrap_or_else(|error| panic!("to {to:?}: {error:?}"));
    }

    fn try_bring(&self, table: &'static SealedTable, to: Phase) -> Result<(), DbErr> {
        self.bring_with(table, to, Options::default(), Duration::from_mins(2)).unwrap()
    }

    /// `None` when the time was over: then everything is dropped where it stood, sockets too, as when a process ends.
    fn bring_with(
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

    fn forget(&self, table: &'static SealedTable) -> Result<(), DbErr> {
        block_on(async {
            let db = self.connect().await;
            Sealing::new(self.roots.clone()).forget(&SchemaManager::new(&db), table).await
        })
    }

    fn rows(&self) -> Vec<Token> {
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
    fn definition(&self) -> Vec<String> {
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
    fn refused(&self, sql: &str) -> String {
        self.room
            .try_execute(sql, vec![])
            .map_or_else(|error| format!("{error} {error:?}"), |_| panic!("not refused: {sql}"))
    }

    /// Makes a table, and says why it is not sealed.
    #[track_caller]
    fn unsealable(&self, made: &str, table: &'static SealedTable) -> DbErr {
        self.room.execute(made);
        let Err(error) = self.try_bring(table, Phase::Sealed) else { panic!("sealed: {made}") };
        self.room.execute(&format!("DROP TABLE {}", table.name));
        assert!(Unsealable::of(&error).is_some(), "{made}: {error:?}");
        error
    }

    fn bytes(&self, hex: &str) -> String {
        if self.room.engine == Engine::Postgres {
            format!("'\\x{hex}'::bytea")
        } else {
            format!("x'{hex}'")
        }
    }
}

/// Id, tenant, token and note.
type Token = (String, Option<String>, String, Option<String>);

const TOKENS: &str = "CREATE TABLE api_token (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64), \
    token varchar(255) DEFAULT 'it''s, (none)' NOT NULL UNIQUE, note varchar(500), name varchar(100) NOT NULL)";

fn token(n: usize) -> Token {
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

fn tokens() -> Vec<Token> {
    (0..ROWS).map(token).collect()
}

fn there_and_back_leaves_the_table_as_it_was(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.room.execute("CREATE INDEX api_token_note ON api_token (note)");
    host.room.execute("CREATE INDEX api_token_name ON api_token (name, tenant_id)");
    let (before, rows) = (host.definition(), host.rows());
    assert_eq!(rows, tokens());
    for _ in 0..2 {
        host.bring(TABLE, Phase::Sealed);
        assert!(
            host.room.try_execute("SELECT token FROM api_token", vec![]).is_err(),
            "the plaintext is gone"
        );
        assert!(host.room.try_execute("SELECT note FROM api_token", vec![]).is_err(), "all of it");
        assert_eq!(
            host.room.number("SELECT count(*) FROM api_token WHERE token_sealed IS NOT NULL AND token_index IS NOT NULL"),
            300
        );
        assert_eq!(
            host.room.number("SELECT count(*) FROM api_token WHERE note_sealed IS NULL"),
            60
        );
        host.room.run(&["keys", "verify"]).expect(0);
        host.bring(TABLE, Phase::Sealed);
        host.bring(TABLE, Phase::Plain);
        assert_eq!(host.rows(), rows);
        assert_eq!(host.definition(), before);
    }
}

/// How the table is made that [`BY_UUID`] describes.
fn by_uuid(engine: Engine) -> String {
    let id = match engine {
        Engine::Postgres => "uuid",
        Engine::Sqlite => "blob",
        Engine::MySql | Engine::MariaDb => "binary(16)",
    };
    format!(
        "CREATE TABLE api_token (id {id} NOT NULL PRIMARY KEY, number bigint, account {id}, token varchar(255) NOT NULL, note text)"
    )
}

fn a_table_with_uuid_ids_and_integer_owners(engine: Engine) {
    let host = Host::new(engine);
    host.room.execute(&by_uuid(engine));
    let insert =
        "INSERT INTO api_token (id, number, account, token, note) VALUES ($1, $2, $3, $4, $5)";
    for n in 0..ROWS {
        let (_, _, token, note) = token(n);
        let (number, account) = (
            (!n.is_multiple_of(4)).then_some(n as i64 % 3 - 1),
            n.is_multiple_of(2).then(Uuid::new_v4),
        );
        let values: Vec<Value> = vec![
            Uuid::new_v4().into(),
            number.into(),
            Value::Uuid(account),
            token.into(),
            note.into(),
        ];
        host.room.try_execute(insert, values).unwrap();
    }
    let rows = || {
        let mut rows =
            host.room.query("SELECT id, number, account, token, note FROM api_token", |row| {
                (
                    row.try_get::<Uuid>("", "id").unwrap(),
                    row.try_get::<Option<i64>>("", "number").unwrap(),
                    row.try_get::<Option<Uuid>>("", "account").unwrap(),
                    row.try_get::<String>("", "token").unwrap(),
                    row.try_get::<Option<String>>("", "note").unwrap(),
                )
            });
        rows.sort();
        rows
    };
    let (before, definition) = (rows(), host.definition());
    host.bring(BY_UUID, Phase::Dual);
    host.room.execute("UPDATE api_token SET number = 7 WHERE number = 1");
    host.bring(BY_UUID, Phase::Filled);
    host.room.execute("UPDATE api_token SET number = 1 WHERE number = 7");
    host.bring(BY_UUID, Phase::Sealed);
    host.room.run(&["keys", "rotate"]).expect(0);
    host.room.run(&["keys", "verify"]).expect(0);
    assert!(host.refused("UPDATE api_token SET number = 7 WHERE number = 1").contains("bound to"));
    host.bring(BY_UUID, Phase::Plain);
    assert_eq!((rows(), host.definition()), (before, definition));
}

fn every_phase_leads_to_every_other(engine: Engine) {
    let host = Host::with_tokens(engine);
    let definition = host.definition();
    let way = [
        Phase::Dual,
        Phase::Plain,
        Phase::Filled,
        Phase::Dual,
        Phase::Required,
        Phase::Filled,
        Phase::Sealed,
        Phase::Restoring,
        Phase::Sealed,
        Phase::Required,
        Phase::Restoring,
        Phase::Required,
        Phase::Sealed,
        Phase::Filled,
        Phase::Plain,
    ];
    for phase in way {
        host.bring(TABLE, phase);
        if phase < Phase::Restoring {
            assert_eq!(host.rows(), tokens(), "{phase:?}");
        }
        if phase != Phase::Plain {
            host.room.run(&["keys", "verify"]).expect(0);
        }
    }
    assert_eq!(host.definition(), definition);
}

fn dropped_at_any_moment_the_same_call_goes_on(engine: Engine) {
    let host = Host::with_tokens(engine);
    let definition = host.definition();
    let options = || with(|options| options.batch_size = 40);
    for (round, to) in
        [Phase::Sealed, Phase::Plain, Phase::Sealed, Phase::Plain].into_iter().enumerate()
    {
        let mut cut = 0_u64;
        loop {
            let time = Duration::from_millis(7 + cut * 23 + round as u64 * 3);
            if let Some(done) = host.bring_with(TABLE, to, options(), time) {
                break done.unwrap();
            }
            cut += 1;
            host.room.execute(
                "UPDATE strongroom_lock SET token = token + 1, expires_ms = 0, holder = ''",
            );
        }
        assert!(cut > 0);
        if to == Phase::Sealed {
            host.room.run(&["keys", "verify"]).expect(0);
        }
    }
    assert_eq!((host.rows(), host.definition()), (tokens(), definition));
}

fn cut_short_the_same_call_goes_on(engine: Engine) {
    let host = Host::with_tokens(engine);
    for to in [Phase::Sealed, Phase::Plain] {
        let options = || with(|options| options.max_rows = Some(110));
        for _ in 0..2 {
            let error =
                host.bring_with(TABLE, to, options(), Duration::from_mins(1)).unwrap().unwrap_err();
            assert!(format!("{error:?}").contains("CutShort"), "{error:?}");
        }
        host.bring_with(TABLE, to, options(), Duration::from_mins(1)).unwrap().unwrap();
    }
    assert_eq!(host.rows(), tokens());
}

fn a_program_that_knows_only_plaintext_loses_nothing(engine: Engine) {
    let host = Host::with_tokens(engine);
    let insert = |id: &str| {
        format!(
            "INSERT INTO api_token (id, tenant_id, name, token) VALUES ('{id}', 't', 'n', 'new token of {id}')"
        )
    };
    host.bring(TABLE, Phase::Dual);
    host.room.execute(&insert("at-dual"));
    host.bring(TABLE, Phase::Filled);
    let sealed =
        || host.room.number("SELECT count(*) FROM api_token WHERE token_sealed IS NOT NULL");
    assert_eq!(sealed(), 301);
    host.room.execute(&insert("at-filled"));
    host.room.execute("UPDATE api_token SET token = replace(token, 'plaintext-token', 'PLAINTEXT-TOKEN') WHERE id = 'row-0001'");
    host.room.execute("UPDATE api_token SET tenant_id = 'another' WHERE id = 'row-0002'");
    host.room.execute("UPDATE api_token SET note = NULL WHERE id = 'row-0004'");
    host.room.execute("UPDATE api_token SET name = 'of no importance' WHERE id = 'row-0005'");
    assert_eq!(sealed(), 299, "cells of a changed row are emptied");
    host.bring(TABLE, Phase::Required);
    let rows = host.rows();
    assert_eq!(sealed(), 302);
    for refused in [
        insert("at-required").as_str(),
        "UPDATE api_token SET token = 'lost' WHERE id = 'row-0001'",
        "UPDATE api_token SET note = 'lost' WHERE id = 'row-0000'",
        "UPDATE api_token SET tenant_id = 'lost' WHERE id = 'row-0001'",
    ] {
        let error = host.refused(refused);
        assert!(
            error.contains("older than the database") && hides(&error, &["lost", "new token of"]),
            "{error}"
        );
    }
    host.bring(TABLE, Phase::Restoring);
    for refused in [
        insert("at-restoring").as_str(),
        "UPDATE api_token SET token = 'lost' WHERE id = 'row-0001'",
        "UPDATE api_token SET tenant_id = 'lost' WHERE id = 'row-0001'",
    ] {
        host.refused(refused);
    }
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), rows);
    let find = |id: &str| rows.iter().find(|row| row.0 == id).unwrap();
    assert_eq!(find("at-filled").2, "new token of at-filled");
    assert_eq!(
        (find("row-0001").2.as_str(), &find("row-0004").3),
        ("PLAINTEXT-TOKEN-'000001-ż", &None)
    );
}

fn plaintext_never_gets_into_a_cell_column(engine: Engine) {
    let host = Host::with_tokens(engine);
    for phase in [Phase::Dual, Phase::Filled, Phase::Required, Phase::Sealed, Phase::Restoring] {
        host.bring(TABLE, phase);
        for column in ["token_sealed", "token_index", "note_sealed"] {
            for value in [
                host.bytes(&hex::encode("a-secret-in-the-wrong-place")),
                "'a-secret-in-the-wrong-place'".into(),
                host.bytes("01ff"),
            ] {
                let error = host.refused(&format!(
                    "UPDATE api_token SET {column} = {value} WHERE id = 'row-0001'"
                ));
                assert!(hides(&error, &["wrong-place", "plaintext-"]), "{phase:?}: {error}");
            }
        }
    }
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

fn a_row_stays_with_what_its_cells_are_bound_to(engine: Engine) {
    let host = Host::with_tokens(engine);
    let fake = host.bytes(&format!("01{}", "ab".repeat(111)));
    for phase in [Phase::Sealed, Phase::Restoring] {
        host.bring(TABLE, phase);
        for change in [
            "tenant_id = 'TENANT-1'",
            "tenant_id = NULL",
            "id = 'row-x'",
            &format!("tenant_id = 'x', token_sealed = {fake}"),
        ] {
            let error =
                host.refused(&format!("UPDATE api_token SET {change} WHERE id = 'row-0001'"));
            assert!(
                error.contains("changes what the sealed columns of api_token are bound to"),
                "{error}"
            );
        }
        host.room.execute(
            "UPDATE api_token SET name = 'anything', tenant_id = tenant_id WHERE id = 'row-0001'",
        );
        host.refused("UPDATE api_token SET token_sealed = NULL WHERE id = 'row-0001'");
        host.refused("UPDATE api_token SET token_index = NULL WHERE id = 'row-0001'");
    }
    host.bring(TABLE, Phase::Sealed);
    host.room.execute(&format!(
        "UPDATE api_token SET tenant_id = 'x', token_sealed = {fake}, note_sealed = {fake} WHERE id = 'row-0001'"
    ));
    host.room.run(&["keys", "verify"]).expect(3);
}

fn a_cell_that_does_not_open_keeps_its_plaintext(engine: Engine) {
    let host = Host::with_tokens(engine);
    let fake = host.bytes(&format!("01{}", "ab".repeat(111)));
    host.bring(TABLE, Phase::Required);
    host.room.execute(&format!("UPDATE api_token SET token_sealed = {fake} WHERE id = 'row-0077'"));
    let error = format!("{:?}", host.try_bring(TABLE, Phase::Sealed).unwrap_err());
    assert!(error.contains("row-0077") && error.contains("Unverified"), "{error}");
    assert_eq!(host.rows(), tokens(), "nothing was dropped");
    host.bring(TABLE, Phase::Filled);
    host.bring(TABLE, Phase::Sealed);
    host.room.execute(&format!("UPDATE api_token SET token_sealed = {fake} WHERE id = 'row-0077'"));
    let error = format!("{:?}", host.try_bring(TABLE, Phase::Plain).unwrap_err());
    assert!(error.contains("row-0077"), "{error}");
    assert_eq!(
        host.room.number("SELECT count(*) FROM api_token WHERE token_sealed IS NOT NULL"),
        300,
        "no cell was dropped"
    );
}

fn what_could_not_be_given_back_is_refused(engine: Engine) {
    let host = Host::with_tokens(engine);
    let definition = host.definition();
    let refused = |make: &str, unmake: &str, why: &str| {
        host.room.execute(make);
        let error = host.try_bring(TABLE, Phase::Sealed).unwrap_err().to_string();
        assert!(error.contains(why), "{make}: {error}");
        host.room.execute(unmake);
        assert_eq!(host.definition(), definition, "nothing was changed");
    };
    let drop_index = if matches!(engine, Engine::MySql | Engine::MariaDb) {
        "DROP INDEX two ON api_token"
    } else {
        "DROP INDEX two"
    };
    refused(
        "CREATE INDEX two ON api_token (tenant_id, token)",
        drop_index,
        "column `token` of `api_token` cannot be dropped",
    );
    refused("CREATE VIEW seen AS SELECT id, token FROM api_token", "DROP VIEW seen", "seen");
    if engine != Engine::Sqlite {
        let drop = "ALTER TABLE api_token DROP CONSTRAINT c";
        refused(
            "ALTER TABLE api_token ADD CONSTRAINT c CHECK (note <> 'x')",
            drop,
            "column `note`",
        );
    }
    if engine == Engine::Sqlite {
        refused(
            "CREATE TABLE child (token varchar(64) REFERENCES api_token (id))",
            "DROP TABLE child",
            "foreign keys of child",
        );
    } else {
        refused(
            "CREATE TABLE child (t varchar(255), FOREIGN KEY (t) REFERENCES api_token (token))",
            "DROP TABLE child",
            "column `token`",
        );
    }
    let long = "x".repeat(65);
    if engine == Engine::Sqlite {
        host.room.execute(&format!(
            "INSERT INTO api_token (id, name, token) VALUES ('{long}', '', 'long')"
        ));
        assert!(
            host.try_bring(TABLE, Phase::Sealed).unwrap_err().to_string().contains("more than 64")
        );
        host.room.execute(&format!("DELETE FROM api_token WHERE id = '{long}'"));
    }
    host.bring(TABLE, Phase::Dual);
    host.room
        .execute("CREATE TABLE another (id varchar(64) NOT NULL PRIMARY KEY, note varchar(9))");
    let error = format!("{:?}", host.try_bring(SAME_LABEL, Phase::Sealed).unwrap_err());
    assert!(error.contains("LabelTaken"), "{error}");
    assert!(host.forget(TABLE).unwrap_err().to_string().contains("is not in the clear"));
    host.bring(TABLE, Phase::Plain);
    host.bring(OTHERWISE, Phase::Plain);
    assert_eq!((host.rows(), host.definition()), (tokens(), definition));
    // A connection of SQLite's alters by the schema that it read last.
    let look = if engine == Engine::Sqlite { "SELECT count(*) FROM api_token; " } else { "" };
    host.room.execute(&format!("{look}ALTER TABLE api_token ADD COLUMN note_sealed varchar(3)"));
    assert!(
        host.try_bring(TABLE, Phase::Sealed)
            .unwrap_err()
            .to_string()
            .contains("has a column `note_sealed` already")
    );
}

/// A table of tokens that differs in its id, its tenant, its note, and what follows.
fn tokens_with(id: &str, tenant: &str, note: &str, more: &str) -> String {
    format!(
        "CREATE TABLE api_token (id {id} NOT NULL, tenant_id {tenant}, token varchar(255) NOT NULL UNIQUE, note {note}, \
         name varchar(100), {more})"
    )
}

fn what_guards_would_not_see_is_refused(engine: Engine) {
    let host = Host::new(engine);
    let (text, note) = ("varchar(64)", "varchar(500)");
    host.room.execute("CREATE TABLE tenant (id varchar(64) NOT NULL PRIMARY KEY)");
    let tenant = |acts: &str| {
        format!("PRIMARY KEY (id), FOREIGN KEY (tenant_id) REFERENCES tenant (id) {acts}")
    };
    for acts in ["ON UPDATE CASCADE", "ON UPDATE SET NULL", "ON DELETE SET NULL"] {
        let error = host.unsealable(&tokens_with(text, text, note, &tenant(acts)), TABLE);
        assert!(
            matches!(Unsealable::of(&error), Some(Unsealable::PastGuards { column, .. }) if column == "tenant_id"),
            "{error}"
        );
    }
    let error = host.unsealable(
        &tokens_with(text, "varchar(64) NOT NULL", note, "PRIMARY KEY (id, tenant_id)"),
        TABLE,
    );
    assert!(
        matches!(Unsealable::of(&error), Some(Unsealable::NotUnique { column: "id", .. })),
        "{error}"
    );
    let error =
        host.unsealable(&tokens_with(text, text, "varchar(500) UNIQUE", "PRIMARY KEY (id)"), TABLE);
    assert!(
        matches!(
            Unsealable::of(&error),
            Some(Unsealable::UniqueWithoutIndex { column: "note", .. })
        ),
        "{error}"
    );
    if engine != Engine::Sqlite {
        for (id, tenant) in [("char(64)", text), (text, "char(64)")] {
            let error = host.unsealable(&tokens_with(id, tenant, note, "PRIMARY KEY (id)"), TABLE);
            assert!(matches!(Unsealable::of(&error), Some(Unsealable::Type { .. })), "{error}");
        }
    }
    if engine == Engine::Postgres {
        let hidden = "; ALTER TABLE api_token ENABLE ROW LEVEL SECURITY";
        let error =
            host.unsealable(&(tokens_with(text, text, note, "PRIMARY KEY (id)") + hidden), TABLE);
        assert!(
            matches!(Unsealable::of(&error), Some(Unsealable::RowSecurity("api_token"))),
            "{error}"
        );
    }
    for accepted in
        [tenant("ON UPDATE RESTRICT ON DELETE CASCADE"), "UNIQUE (id), UNIQUE (name)".to_owned()]
    {
        host.room.execute(&tokens_with(text, text, note, &accepted));
        host.bring(TABLE, Phase::Sealed);
        host.bring(TABLE, Phase::Plain);
        host.room.execute("DROP TABLE api_token");
    }
}

fn a_table_of_cells_is_refused_for_the_same_and_for_its_types(engine: Engine) {
    let host = Host::new(engine);
    let bytes = bytes(engine);
    host.room.execute("CREATE TABLE tenant (id varchar(64) NOT NULL PRIMARY KEY)");
    let made = |secret: &str, more: &str| {
        let index = if bytes == "mediumblob" { "varbinary(16)" } else { bytes };
        format!(
            "CREATE TABLE vault_item (id varchar(64) NOT NULL, tenant_id varchar(64), secret {secret} NOT NULL, \
             secret_index {index} UNIQUE, {more})"
        )
    };
    let key = "PRIMARY KEY (id), FOREIGN KEY (tenant_id) REFERENCES tenant (id) ON UPDATE CASCADE";
    let error = host.unsealable(&made(bytes, key), BORN);
    assert!(matches!(Unsealable::of(&error), Some(Unsealable::PastGuards { .. })), "{error}");
    let error = host.unsealable(&made(bytes, "UNIQUE (id, tenant_id)"), BORN);
    assert!(matches!(Unsealable::of(&error), Some(Unsealable::NotUnique { .. })), "{error}");
    if bytes == "mediumblob" {
        for small in ["binary(200)", "tinyblob"] {
            let error = host.unsealable(&made(small, "PRIMARY KEY (id)"), BORN);
            assert!(
                matches!(Unsealable::of(&error), Some(Unsealable::Type { column: "secret", .. })),
                "{error}"
            );
        }
    }
    host.room.execute(&made(bytes, "PRIMARY KEY (id)"));
    host.bring(BORN, Phase::Sealed);
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let room = Room::empty(Engine::Sqlite);
    room.execute("PRAGMA encoding = 'UTF-16le'; CREATE TABLE first (id int)");
    let error = block_on(connect(&Address::parse(room.url()).unwrap(), Access::Write)).unwrap_err();
    assert!(error.to_string().contains("UTF-16le"), "{error}");
}

fn a_name_may_have_its_type_in_it(engine: Engine) {
    let host = Host::new(engine);
    host.room.execute("CREATE TABLE api_token (id varchar(64) NOT NULL PRIMARY KEY, plaintext text NOT NULL, note_text text)");
    let definition = host.definition();
    host.room
        .execute("INSERT INTO api_token (id, plaintext, note_text) VALUES ('a', 'one', 'two')");
    host.bring(NAMED_BY_TYPE, Phase::Sealed);
    host.bring(NAMED_BY_TYPE, Phase::Plain);
    assert_eq!(host.definition(), definition);
    assert_eq!(
        host.room
            .number("SELECT count(*) FROM api_token WHERE plaintext = 'one' AND note_text = 'two'"),
        1
    );
}

/// A session that is not strict cuts what it writes; so does this.
fn what_is_written_back_is_read_again(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Restoring);
    let (cut, no_longer) = match engine {
        Engine::Sqlite => (
            "CREATE TRIGGER cut AFTER UPDATE OF note ON api_token WHEN length(new.note) > 3 \
             BEGIN UPDATE api_token SET note = substr(new.note, 1, 3) WHERE id = new.id; END",
            "DROP TRIGGER cut",
        ),
        Engine::Postgres => (
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note := left(new.note, 3); RETURN new; END $$; \
             CREATE TRIGGER cut BEFORE UPDATE ON api_token FOR EACH ROW EXECUTE FUNCTION cut()",
            "DROP FUNCTION cut CASCADE",
        ),
        Engine::MySql | Engine::MariaDb => (
            "CREATE TRIGGER cut BEFORE UPDATE ON api_token FOR EACH ROW SET new.note = left(new.note, 3)",
            "DROP TRIGGER cut",
        ),
    };
    host.room.execute(cut);
    let error = format!("{:?}", host.try_bring(TABLE, Phase::Plain).unwrap_err());
    assert!(error.contains("Unverified") && hides(&error, &["plaintext-"]), "{error}");
    host.room.execute(no_longer);
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

fn a_column_that_the_host_added_since_is_not_ours(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Sealed);
    // A connection of SQLite's alters by the schema that it read last.
    let look = if engine == Engine::Sqlite { "SELECT count(*) FROM api_token; " } else { "" };
    host.room.execute(&format!("{look}ALTER TABLE api_token ADD COLUMN note varchar(9)"));
    host.room.execute("UPDATE api_token SET note = 'theirs'");
    host.bring(TABLE, Phase::Sealed);
    assert_eq!(
        host.room.number("SELECT count(*) FROM api_token WHERE note = 'theirs'"),
        ROWS as i64
    );
    let error = host.try_bring(TABLE, Phase::Plain).unwrap_err();
    assert!(
        matches!(Unsealable::of(&error), Some(Unsealable::ColumnTaken { column: "note", .. })),
        "{error:?}"
    );
    host.room.execute(&format!("{look}ALTER TABLE api_token DROP COLUMN note"));
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

/// A program whose first step makes a table and seals it, and whose later version has a column more.
struct Vault {
    sealing: Sealing,
    table: &'static SealedTable,
    makes: Option<String>,
    adds: Option<String>,
}

struct VaultStep(&'static str, Sealing, &'static SealedTable, Option<String>);

impl MigratorTraitSelf for Vault {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let step = |name, sql: &Option<String>| -> Box<dyn MigrationTrait> {
            Box::new(VaultStep(name, self.sealing.clone(), self.table, sql.clone()))
        };
        let second = self.adds.is_some().then(|| step("m0002_add_hint", &self.adds));
        std::iter::once(step("m0001_create_vault_item", &self.makes)).chain(second).collect()
    }
}

impl MigrationName for VaultStep {
    fn name(&self) -> &str {
        self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for VaultStep {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if let Some(sql) = &self.3 {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        self.1.migrate_to(manager, self.2, Phase::Sealed).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if self.0.starts_with("m0001") {
            self.1.forget(manager, self.2).await?;
            manager.get_connection().execute_unprepared("DROP TABLE vault_item").await?;
        }
        Ok(())
    }
}

fn a_step_stays_the_same_when_its_table_gains_a_column(engine: Engine) {
    let host = Host::new(engine);
    let sealing = Sealing::new(host.roots.clone());
    let (bytes, db) = (bytes(engine), block_on(host.connect()));
    let index = if bytes == "mediumblob" { "varbinary(16)" } else { bytes };
    let makes = format!(
        "CREATE TABLE vault_item (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64), secret {bytes} NOT NULL, \
         secret_index {index} UNIQUE)"
    );
    let first = Vault { sealing: sealing.clone(), table: BORN, makes: Some(makes), adds: None };
    let adds = Some(format!("ALTER TABLE vault_item ADD COLUMN hint {bytes}"));
    let second = Vault {
        sealing: sealing.clone(),
        table: BORN_WITH_ANOTHER,
        makes: first.makes.clone(),
        adds,
    };
    let runner =
        |vault: &Vault| HostRunner::new(db.clone(), "vault", vault).unwrap().lending_to(&sealing);
    assert_eq!(block_on(runner(&first).up()).unwrap().len(), 1);
    block_on(runner(&first).require_current()).unwrap();
    let older = block_on(runner(&second).require_current());
    assert!(
        matches!(&older, Err(HostError::Older { pending }) if *pending == ["m0002_add_hint"]),
        "{older:?}"
    );
    let plan = block_on(runner(&second).plan(Target::Up(2))).unwrap()[0].to_string();
    assert!(
        plan.contains("-- strongroom: vault_item to sealed") && plan.contains("CREATE TRIGGER"),
        "{plan}"
    );
    assert_eq!(block_on(runner(&second).up()).unwrap(), ["m0002_add_hint"]);
    block_on(runner(&second).require_current()).unwrap();
    assert_eq!(block_on(runner(&second).down_to("0")).unwrap().len(), 2);
    assert_eq!(
        host.room.number("SELECT count(*) FROM strongroom_history WHERE name LIKE 'vault/%'"),
        4
    );
}

fn why_a_step_failed_can_be_told(engine: Engine) {
    let host = Host::new(engine);
    let (sealing, db) = (Sealing::new(host.roots.clone()), block_on(host.connect()));
    let vault = Vault { sealing: sealing.clone(), table: BORN, makes: None, adds: None };
    let runner = || HostRunner::new(db.clone(), "vault", &vault).unwrap();
    let source = |failed: HostError| match failed {
        HostError::Step { source, .. } => source,
        other => panic!("{other:?}"),
    };
    let error = source(block_on(runner().lending_to(&sealing).up()).unwrap_err());
    assert!(matches!(Unsealable::of(&error), Some(Unsealable::NoTable("vault_item"))), "{error:?}");
    // Its lock was not lent.
    let error = source(block_on(runner().up()).unwrap_err());
    let DbErr::TryIntoErr { source, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(source.downcast_ref(), Some(LockError::Held { .. })), "{error:?}");
}

/// For cells.
fn bytes(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "bytea",
        Engine::Sqlite => "blob",
        Engine::MySql | Engine::MariaDb => "mediumblob",
    }
}

/// Whether a text has none of these, as they are, in hex, or as a list of bytes.
fn hides(text: &str, secrets: &[&str]) -> bool {
    let lower = text.to_lowercase();
    let list =
        |secret: &str| format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned();
    secrets.iter().all(|it| {
        !text.contains(it) && !lower.contains(&hex::encode(it)) && !lower.contains(&list(it))
    })
}

fn a_table_that_was_made_with_its_cells(engine: Engine) {
    let host = Host::new(engine);
    let (bytes, index) = match engine {
        Engine::Postgres => ("bytea", "bytea"),
        Engine::Sqlite => ("blob", "blob"),
        Engine::MySql | Engine::MariaDb => ("mediumblob", "varbinary(16)"),
    };
    host.room.execute(&format!(
        "CREATE TABLE vault_item (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64), secret {bytes} NOT NULL, secret_index {index} UNIQUE)"
    ));
    let fake = host.bytes(&format!("01{}", "ab".repeat(111)));
    let insert = |id: &str, cell: &str, index: &str| {
        format!(
            "INSERT INTO vault_item (id, secret, secret_index) VALUES ('{id}', {cell}, {index})"
        )
    };
    let (one, two) = (host.bytes(&"11".repeat(16)), host.bytes(&"22".repeat(16)));
    host.room.execute(&insert("a", &host.bytes(&hex::encode("in the clear")), &one));
    assert!(
        host.try_bring(BORN, Phase::Sealed)
            .unwrap_err()
            .to_string()
            .contains("something else than a sealed cell")
    );
    host.room.execute("DELETE FROM vault_item");
    for _ in 0..2 {
        host.bring(BORN, Phase::Sealed);
        let error = host.refused(&insert(
            "a",
            &host.bytes(&hex::encode("in the clear, wrong-place")),
            &one,
        ));
        assert!(
            error.contains("takes sealed cells only") && hides(&error, &["wrong-place"]),
            "{error}"
        );
    }
    host.refused(&insert("a", &fake, &host.bytes("1122")));
    host.refused("INSERT INTO vault_item (id, secret) VALUES ('a', NULL)");
    host.refused(&format!("INSERT INTO vault_item (id, secret) VALUES ('a', {fake})"));
    host.room.execute(&insert("a", &fake, &one));
    assert!(host.refused("UPDATE vault_item SET tenant_id = 'x'").contains("bound to"));
    assert_eq!(host.room.json(&["keys", "status"])["cells"]["sealed"], 1);
    assert!(
        host.try_bring(BORN, Phase::Plain).unwrap_err().to_string().contains("without plaintext")
    );

    host.room.execute("CREATE VIEW seen AS SELECT id, secret FROM vault_item");
    host.room.execute(&format!("ALTER TABLE vault_item ADD COLUMN hint {bytes}"));
    host.bring(BORN_WITH_ANOTHER, Phase::Sealed);
    let clear = host.bytes(&hex::encode("clear"));
    host.refused(&format!("UPDATE vault_item SET hint = {clear}"));
    host.room.execute(&format!("UPDATE vault_item SET hint = {fake}"));
    host.room.execute(&insert("b", &fake, &two));
    assert_eq!(host.room.json(&["keys", "status"])["cells"]["sealed"], 3);
    host.room.execute("DROP VIEW seen");
    let quarantined = |table: &str| {
        format!(
            "INSERT INTO strongroom_quarantine (table_name, row_id, column_name, reason, run) VALUES ('{table}', 'a', 'secret', 'corrupt', '-')"
        )
    };
    host.room.execute(&quarantined("vault_item"));
    host.room.execute(&quarantined("another"));
    host.forget(BORN_WITH_ANOTHER).unwrap();
    assert_eq!(
        host.room
            .number("SELECT count(*) FROM strongroom_quarantine WHERE table_name <> 'another'"),
        0
    );
    assert_eq!(
        host.room.number("SELECT count(*) FROM strongroom_quarantine"),
        1,
        "of other tables they stay"
    );
    host.room.execute(&format!("UPDATE vault_item SET hint = {clear}"));
    host.room.execute("DROP TABLE vault_item");
    host.forget(BORN_WITH_ANOTHER).unwrap();
    assert_eq!(host.room.json(&["keys", "status"])["cells"]["sealed"].as_u64().unwrap_or(0), 0);
}

fn the_program_rolls_verifies_and_retires_with_tables_it_never_heard_of(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Sealed);
    let cells = |status: &serde_json::Value| -> Vec<u64> {
        status["generations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["cells"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(cells(&host.room.json(&["keys", "status"])), [540]);
    host.room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(cells(&host.room.json(&["keys", "status"])), [0, 540]);
    host.room.run(&["keys", "verify"]).expect(0);
    host.room.run(&["keys", "retire", "1", "--yes"]).expect(0);
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

fn the_ring_of_a_sealed_table_does_not_go(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.room.run(&["migrate", "up", "--yes"]).expect(0);
    host.bring(TABLE, Phase::Sealed);
    let ran = host.room.run(&["migrate", "down", "--to", "0", "--yes"]);
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("tables of other programs: api_token"), "{}", ran.err);
    assert_eq!(host.room.json(&["migrate", "status"])["pending"], 0, "nothing was begun");
    host.room.run(&["migrate", "down", "--to", "2", "--yes"]).expect(0);
    host.room.run(&["keys", "verify"]).expect(0);
    host.bring(TABLE, Phase::Plain);
    host.room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    assert_eq!(host.rows(), tokens());
}

/// Options differ from the usual ones by what is set.
fn with(set: impl Fn(&mut Options)) -> Options {
    let mut options = Options::default();
    set(&mut options);
    options
}
