//! What each component can really do, by logging in as it and trying.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use strongroom::credential::{Filter, NewCredential, StoreError};
use strongroom::key::{CellAddress, OpenFailure};
use strongroom::policy::GrantError;
use strongroom_entity::credential::{AccessKey, SecretKey};
use strongroom_entity::{Binding, Label, OwnerValue as _};

use crate::support::{
    Engine, Room, Verdict, block_on, is_refusal, numbered_rows, on_every_engine, on_every_server,
    tried,
};

on_every_engine!(
    every_verb_on_every_column_is_as_the_policy_says,
    every_call_of_the_repository_works_or_is_refused,
    a_share_does_not_open_what_its_policy_does_not_read,
    no_shape_of_statement_reads_a_denied_column,
);

mod logins {
    use super::{a_login_that_must_not_be_used_is_refused, on_every_server};
    on_every_server!(a_login_that_must_not_be_used_is_refused);
}

const COMPONENTS: [&str; 10] = [
    "api",
    "auditor",
    "compute",
    "conductor",
    "console",
    "metadata",
    "network",
    "operator",
    "scheduler",
    "strongroom",
];

/// One snapshot for all engines. Every table and column of the database is in it, so that a new one cannot be forgotten.
fn every_verb_on_every_column_is_as_the_policy_says(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let catalog = catalog(&room);
    let mut found: BTreeMap<(String, String), BTreeMap<&str, String>> = BTreeMap::new();
    for component in COMPONENTS {
        let db = room.log_in_as(component);
        for (table, columns) in &catalog {
            let mut note = |column: &str, letters: String| {
                found
                    .entry((table.clone(), column.to_owned()))
                    .or_default()
                    .insert(component, letters);
            };
            note("", letter(&db, 'D', &format!("DELETE FROM {table} WHERE 1 = 0")));
            for column in columns {
                let reads = letter(&db, 'R', &format!("SELECT {column} FROM {table} LIMIT 0"));
                let writes = letter(&db, 'W', &insert(engine, table, column));
                let changes =
                    letter(&db, 'U', &format!("UPDATE {table} SET {column} = NULL WHERE 1 = 0"));
                note(column, format!("{reads}{writes}{changes}"));
            }
        }
        if engine == Engine::MariaDb {
            let base = format!("SELECT id FROM {}.credential LIMIT 0", room.database());
            assert_eq!(
                tried(&db, &base),
                Verdict::Refused,
                "{component} reaches the table behind its view"
            );
        }
    }
    insta::assert_snapshot!("access_matrix", matrix(&found));
    assert!(matrix(&said(&room, &catalog)) == matrix(&found), "`policy show` tells something else");
}

/// What the policy in force says, in the same form.
fn said(
    room: &Room,
    catalog: &BTreeMap<String, Vec<String>>,
) -> BTreeMap<(String, String), BTreeMap<&'static str, String>> {
    let shown = room.json(&["policy", "show"]);
    let mut said: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for component in COMPONENTS {
        for (table, columns) in catalog {
            let rights = &shown["components"][component]["tables"][table];
            let has = |verb: &str, column: &str| {
                rights[verb].as_array().is_some_and(|list| list.iter().any(|it| it == column))
            };
            let deletes = if rights["delete"] == true { "D" } else { "" };
            said.entry((table.clone(), String::new()))
                .or_default()
                .insert(component, deletes.to_owned());
            for column in columns {
                let letters = [("select", "R"), ("insert", "W"), ("update", "U")];
                let letters = letters
                    .into_iter()
                    .filter(|(verb, _)| has(verb, column))
                    .map(|(_, letter)| letter)
                    .collect();
                said.entry((table.clone(), column.clone())).or_default().insert(component, letters);
            }
        }
    }
    said
}

fn letter(db: &sea_orm::DatabaseConnection, letter: char, sql: &str) -> String {
    if tried(db, sql) == Verdict::Allowed { letter.to_string() } else { String::new() }
}

fn insert(engine: Engine, table: &str, column: &str) -> String {
    match engine {
        Engine::Sqlite => format!("INSERT INTO {table} ({column}) VALUES ('no default')"),
        _ => format!("INSERT INTO {table} ({column}) VALUES (DEFAULT)"),
    }
}

fn catalog(room: &Room) -> BTreeMap<String, Vec<String>> {
    let sql = match room.engine {
        Engine::Sqlite => {
            "SELECT m.name AS t, p.name AS c FROM sqlite_master m JOIN pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, p.name"
        }
        Engine::Postgres => {
            "SELECT table_name::text AS t, column_name::text AS c FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        }
        _ => {
            "SELECT CAST(table_name AS CHAR) AS t, CAST(column_name AS CHAR) AS c FROM information_schema.columns \
             WHERE table_schema = DATABASE() ORDER BY 1, 2"
        }
    };
    let mut catalog: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in
        room.query(sql, |row| (row.try_get("", "t").unwrap(), row.try_get("", "c").unwrap()))
    {
        catalog.entry(table).or_default().push(column);
    }
    catalog
}

fn matrix(found: &BTreeMap<(String, String), BTreeMap<&str, String>>) -> String {
    let mut text = format!("{:<42}", "");
    for component in COMPONENTS {
        write!(text, "{component:<11}").unwrap();
    }
    for ((table, column), cells) in found {
        let name = if column.is_empty() { table.clone() } else { format!("  {column}") };
        write!(text, "\n{name:<42}").unwrap();
        for component in COMPONENTS {
            let cell = if cells[component].is_empty() { "·" } else { &cells[component] };
            write!(text, "{cell:<11}").unwrap();
        }
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Each call by each component: `ok`, `no` for refused by the database, `key` for refused for want of a key.
fn every_call_of_the_repository_works_or_is_refused(engine: Engine) {
    let rows = numbered_rows(12);
    let room = Room::sealed(engine, &rows);
    let calls = [
        "list",
        "find",
        "find, revealed",
        "find by id",
        "find by id, revealed",
        "find many",
        "create",
        "delete",
        "delete by id",
    ];
    let mut text = format!("{:<22}", "");
    for component in COMPONENTS {
        write!(text, "{component:<11}").unwrap();
    }
    let mut columns = Vec::new();
    for (place, component) in COMPONENTS.into_iter().enumerate() {
        let store = room.store_of(component);
        let (access, id) = (rows[place].access_key.as_deref().unwrap(), rows[place].id.as_str());
        let new = NewCredential {
            id: format!("new-{component}"),
            user_id: "u".to_owned(),
            // A project without a key yet: the keeper makes it.
            project_id: Some(format!("project of {component}")),
            kind: "ec2".to_owned(),
            access: Some(format!("ACCESS-{component}").into()),
            secret: "a secret".to_owned().into(),
            extra: None,
        };
        columns.push(block_on(async {
            [
                verdict(store.list(&Filter::default(), 2).await),
                verdict(store.find(access, false).await),
                verdict(store.find(access, true).await),
                verdict(store.find_by_id(id, false).await),
                verdict(store.find_by_id(id, true).await),
                verdict(
                    store
                        .find_many(&[id.to_owned()])
                        .await
                        .and_then(|found| found.into_values().collect::<Result<Vec<_>, _>>()),
                ),
                verdict(store.create(&new).await),
                verdict(store.delete(access).await),
                verdict(store.delete_by_id(&rows[(place + 1) % 12].id).await),
            ]
        }));
    }
    for (line, call) in calls.iter().enumerate() {
        write!(text, "\n{call:<22}").unwrap();
        for column in &columns {
            write!(text, "{:<11}", column[line]).unwrap();
        }
    }
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("repository_calls", text);
}

fn verdict<T>(done: Result<T, StoreError>) -> &'static str {
    match done {
        // A row that an earlier component removed was looked for, and might have been removed.
        Ok(_) | Err(StoreError::NotFound) => "ok",
        Err(StoreError::Database(error)) if is_refusal(&error) => "no",
        Err(
            StoreError::Ring(_) | StoreError::Unopenable { reason: OpenFailure::NotShared, .. },
        ) => "key",
        Err(other) => panic!("{other:?}"),
    }
}

/// Even with the bytes in hand, and with the ring in the same process.
fn a_share_does_not_open_what_its_policy_does_not_read(engine: Engine) {
    let rows = numbered_rows(1);
    let room = Room::sealed(engine, &rows);
    let row = &rows[0];
    let binding = Binding {
        id: row.id.clone(),
        owners: vec![
            ("user_id", row.user_id.owner()),
            ("project_id", row.project_id.owner()),
            ("type", row.kind.owner()),
            ("extra", row.extra.owner()),
        ],
        scope: row.project_id.clone(),
    };
    let (access, secret) = (
        room.bytes("SELECT access_key_sealed FROM credential"),
        room.bytes("SELECT secret_key_sealed FROM credential"),
    );
    let opened = |component: &str, label, cell: &[u8]| {
        let component = room.component(component);
        component
            .keys()
            .open_at(&CellAddress::of(label, &binding), cell)
            .map(|opened| opened.as_text().unwrap().to_owned())
    };
    assert_eq!(opened("compute", AccessKey::LABEL, &access), Ok(row.access_key.clone().unwrap()));
    assert_eq!(opened("compute", SecretKey::LABEL, &secret), Err(OpenFailure::NotShared));
    assert_eq!(opened("metadata", SecretKey::LABEL, &secret), Ok(row.secret_key.clone()));
    assert_eq!(opened("auditor", AccessKey::LABEL, &access), Err(OpenFailure::NotShared));
    assert!(room.component("auditor").keys().index(AccessKey::LABEL, b"guess").is_err());
}

/// Statements that use the column in every place that one can stand in; compute may read its neighbours.
fn no_shape_of_statement_reads_a_denied_column(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let compute = room.log_in_as("compute");
    let secret = "secret_key_sealed";
    let mut shapes = vec![
        format!("SELECT {secret} FROM credential"),
        format!("SELECT id FROM credential WHERE {secret} IS NOT NULL"),
        format!("SELECT id FROM credential ORDER BY {secret}"),
        format!("SELECT count(*) FROM credential GROUP BY {secret}"),
        format!("SELECT id FROM credential GROUP BY id HAVING count({secret}) IS NOT NULL"),
        format!("SELECT (SELECT count({secret}) FROM credential) AS s"),
        format!(
            "SELECT id FROM credential c WHERE EXISTS (SELECT 1 FROM credential d WHERE d.{secret} = c.access_key_sealed)"
        ),
        format!("WITH w AS (SELECT id, {secret} AS s FROM credential) SELECT s FROM w"),
        format!("SELECT a.id FROM credential a JOIN credential b ON a.{secret} = b.{secret}"),
        format!("SELECT id, row_number() OVER (ORDER BY {secret}) FROM credential"),
        format!("SELECT access_key_sealed FROM credential UNION SELECT {secret} FROM credential"),
        format!("EXPLAIN SELECT {secret} FROM credential"),
        format!("UPDATE credential SET {secret} = access_key_sealed"),
        format!("UPDATE credential SET extra = NULL WHERE {secret} IS NULL"),
        "DELETE FROM credential".to_owned(),
    ];
    if engine != Engine::MariaDb {
        // There the view has fewer columns, and all of them are compute's to read.
        shapes.push("SELECT * FROM credential".to_owned());
    }
    shapes.extend(match engine {
        Engine::Postgres => vec![
            format!("INSERT INTO credential (id) VALUES ('x') RETURNING {secret}"),
            format!("INSERT INTO credential (id) VALUES ('x') ON CONFLICT (id) DO UPDATE SET extra = credential.{secret}::text"),
            format!("CREATE TEMP TABLE t AS SELECT {secret} FROM credential"),
            format!("CREATE TEMP VIEW v AS SELECT {secret} AS s FROM credential; SELECT s FROM v"),
            "SELECT c::text FROM credential c".to_owned(),
            "TABLE credential".to_owned(),
            "COPY credential TO STDOUT".to_owned(),
            "SELECT id FROM credential NATURAL JOIN (SELECT decode('00', 'hex') AS secret_key_sealed) g".to_owned(),
        ],
        Engine::Sqlite => vec![
            format!("INSERT INTO credential (id) VALUES ('x') RETURNING {secret}"),
            format!("INSERT INTO credential (id) VALUES ('x') ON CONFLICT (id) DO UPDATE SET extra = {secret}"),
            format!("CREATE TEMP VIEW v AS SELECT {secret} AS s FROM credential"),
            "SELECT id FROM credential NATURAL JOIN (SELECT x'00' AS secret_key_sealed)".to_owned(),
            "ATTACH 'strongroom.db' AS again".to_owned(),
        ],
        Engine::MySql | Engine::MariaDb => vec![
            format!("INSERT INTO credential (id) VALUES ('x') ON DUPLICATE KEY UPDATE extra = {secret}"),
            format!("CREATE VIEW v AS SELECT {secret} AS s FROM credential"),
            format!("SET @s = (SELECT count({secret}) FROM credential)"),
            "SHOW CREATE TABLE credential".to_owned(),
        ],
    });
    for shape in shapes {
        assert_eq!(tried(&compute, &shape), Verdict::Refused, "{shape}");
    }
    for allowed in [
        "SELECT id, access_key_sealed FROM credential ORDER BY access_key_index",
        "SELECT count(*) FROM credential",
        "WITH w AS (SELECT id FROM credential) SELECT id FROM w",
    ] {
        assert_eq!(tried(&compute, allowed), Verdict::Allowed, "{allowed}");
    }
}

/// Missing, closed, another's, or able to do more: each with its reason.
fn a_login_that_must_not_be_used_is_refused(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let reason = |name: &str| {
        let components = room.components().unwrap();
        let refused = block_on(components.component(name)).err().unwrap();
        match refused {
            GrantError::Login { reason, .. } => reason,
            other => other.to_string(),
        }
    };
    assert!(reason("nobody").contains("no component"), "{}", reason("nobody"));

    let role = room.json(&["policy", "login", "compute"])["user"]
        .as_str()
        .unwrap()
        .trim_end_matches("_a")
        .to_owned();
    room.give(&role, "SELECT (secret_key_sealed)", "credential");
    assert!(
        reason("compute").contains("may do more than the policy says"),
        "{}",
        reason("compute")
    );
    assert!(reason("compute").contains("secret_key_sealed SELECT"), "{}", reason("compute"));

    room.execute(
        "UPDATE strongroom_database_login SET state = 'outgoing' WHERE component = 'network'",
    );
    assert!(reason("network").contains("no login in use"), "{}", reason("network"));

    // The login's row of another component under this one's name does not unwrap.
    room.execute("DELETE FROM strongroom_database_login WHERE component = 'console'");
    room.execute(
        "UPDATE strongroom_database_login SET component = 'console' WHERE component = 'scheduler'",
    );
    assert!(reason("console").contains("does not unwrap"), "{}", reason("console"));

    let closed = room.json(&["policy", "login", "metadata"])["user"].as_str().unwrap().to_owned();
    room.execute(&match engine {
        Engine::Postgres => format!("ALTER ROLE {closed} NOLOGIN"),
        _ => format!("ALTER USER {closed} ACCOUNT LOCK"),
    });
    assert!(!reason("metadata").is_empty());
}
