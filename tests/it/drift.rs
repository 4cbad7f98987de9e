//! Deviations that somebody made by hand: each is found, and called by its name; what is ours is put right again.

use crate::support::{Engine, Room, numbered_rows, on_every_server};

on_every_server!(deviations_are_found_and_named);

/// What is done by hand, the kind and the words it is found under, and what takes it back where `policy apply` may not.
struct Deviation {
    made_by: String,
    kind: &'static str,
    names: String,
    taken_back_by: Option<String>,
}

fn deviations_are_found_and_named(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let user = room.json(&["policy", "login", "api"])["user"].as_str().unwrap().to_owned();
    let prefix = user.strip_suffix("api_a").unwrap();
    let deviations = match engine {
        Engine::Postgres => on_postgres(prefix),
        Engine::MySql => on_mysql(prefix, room.database()),
        _ => on_mariadb(prefix, room.database()),
    };
    assert!(deviations.len() >= 20, "{}", deviations.len());
    for Deviation { made_by, kind, names, taken_back_by } in deviations {
        for statement in made_by.split("; ") {
            room.execute(statement);
        }
        let found = room.run(&["policy", "check", "--format", "json"]);
        assert_eq!(found.code, 3, "not found: {made_by}");
        let drift = found.json()["drift"].as_array().unwrap().clone();
        let says = |drift: &serde_json::Value| {
            let words = ["grantee", "object", "privilege"]
                .map(|field| drift[field].as_str().unwrap().to_owned());
            drift["kind"] == kind
                && names.split(' ').all(|word| words.iter().any(|field| field.contains(word)))
        };
        assert!(drift.iter().any(says), "{made_by}: no {kind} with {names} in {drift:#?}");
        match taken_back_by {
            Some(sql) => sql.split("; ").for_each(|statement| room.execute(statement)),
            None => drop(room.run(&["policy", "apply"]).expect(0)),
        }
        let left = room.run(&["policy", "check"]);
        assert_eq!(left.code, 0, "after {made_by}: {left:?}");
    }
}

/// Put right by `policy apply`.
fn ours(made_by: String, kind: &'static str, names: impl Into<String>) -> Deviation {
    Deviation { made_by, kind, names: names.into(), taken_back_by: None }
}

/// Somebody else's to take back.
fn theirs(
    made_by: String,
    kind: &'static str,
    names: impl Into<String>,
    taken_back_by: String,
) -> Deviation {
    Deviation { made_by, kind, names: names.into(), taken_back_by: Some(taken_back_by) }
}

fn on_postgres(p: &str) -> Vec<Deviation> {
    vec![
        ours(
            format!("GRANT SELECT (secret_key_sealed) ON credential TO {p}compute"),
            "extra",
            format!("{p}compute credential.secret_key_sealed SELECT"),
        ),
        ours(
            format!("GRANT SELECT ON credential TO {p}compute"),
            "extra",
            "public.credential SELECT",
        ),
        ours(
            format!("GRANT UPDATE (extra) ON credential TO {p}compute_a"),
            "extra",
            format!("{p}compute_a UPDATE"),
        ),
        ours(format!("GRANT TRUNCATE ON credential TO {p}api"), "extra", "TRUNCATE"),
        ours(
            format!("GRANT SELECT (id) ON credential TO {p}network WITH GRANT OPTION"),
            "extra",
            "GRANT OPTION",
        ),
        ours(
            format!("REVOKE SELECT (id) ON credential FROM {p}scheduler"),
            "missing",
            format!("{p}scheduler credential.id SELECT"),
        ),
        ours(format!("REVOKE DELETE ON credential FROM {p}api"), "missing", "DELETE"),
        ours(format!("REVOKE USAGE ON SCHEMA public FROM {p}api"), "missing", "schema USAGE"),
        ours(
            format!("GRANT pg_read_all_data TO {p}compute_a"),
            "membership",
            format!("{p}compute_a pg_read_all_data"),
        ),
        ours(format!("GRANT {p}api TO {p}compute_a"), "membership", format!("{p}compute_a {p}api")),
        ours(format!("REVOKE {p}compute FROM {p}compute_a"), "membership", "missing"),
        ours(format!("GRANT {p}compute TO {p}compute_a WITH SET TRUE"), "membership", "set"),
        ours(
            format!("CREATE ROLE {p}x_stranger; GRANT {p}api TO {p}x_stranger"),
            "extra",
            format!("{p}x_stranger account"),
        ),
        ours(format!("ALTER ROLE {p}api SUPERUSER"), "superuser", format!("{p}api")),
        ours(format!("ALTER ROLE {p}api_a CREATEROLE"), "setting", "createrole"),
        ours(format!("ALTER ROLE {p}compute_a NOLOGIN"), "disabled", format!("{p}compute_a")),
        ours(format!("ALTER ROLE {p}compute_b LOGIN"), "enabled", format!("{p}compute_b")),
        ours(format!("ALTER ROLE {p}compute_a CONNECTION LIMIT 500"), "setting", "500"),
        ours(
            format!("ALTER ROLE {p}compute_a SET statement_timeout = '0'"),
            "setting",
            "statement_timeout",
        ),
        ours(
            format!("ALTER ROLE {p}compute_a SET search_path = 'pg_temp'"),
            "setting",
            "search_path",
        ),
        ours(format!("CREATE ROLE {p}ghost LOGIN"), "extra", format!("{p}ghost account")),
        ours(format!("DROP ROLE {p}network_b"), "missing", format!("{p}network_b account")),
        theirs(
            "GRANT SELECT (id) ON credential TO PUBLIC".into(),
            "public",
            "credential.id SELECT",
            "REVOKE SELECT (id) ON credential FROM PUBLIC".into(),
        ),
        theirs(
            "GRANT CREATE ON SCHEMA public TO PUBLIC".into(),
            "public",
            "CREATE",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC".into(),
        ),
        theirs(
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC".into(),
            "public",
            "default",
            "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC".into(),
        ),
        theirs(
            format!("CREATE ROLE other_{p}x; GRANT SELECT ON credential TO other_{p}x"),
            "foreign",
            format!("other_{p}x SELECT"),
            format!("DROP OWNED BY other_{p}x; DROP ROLE other_{p}x"),
        ),
        theirs(
            format!("CREATE TABLE theirs (id int); ALTER TABLE theirs OWNER TO {p}compute"),
            "owner",
            format!("{p}compute theirs"),
            "DROP TABLE theirs".into(),
        ),
        theirs(
            format!(
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION f() TO {p}compute"
            ),
            "extra",
            "function",
            "DROP FUNCTION f()".into(),
        ),
    ]
}

/// What MySQL and MariaDB have in common; `on` is the table that grants are on.
fn on_both(p: &str, d: &str, on: &str, role: impl Fn(&str) -> String) -> Vec<Deviation> {
    let (compute, api) = (role("compute"), role("api"));
    let compute_a = format!("'{p}compute_a'@'%'");
    vec![
        ours(
            format!("GRANT SELECT (secret_key_sealed) ON {d}.credential TO {compute}"),
            "extra",
            format!("{p}compute credential.secret_key_sealed SELECT"),
        ),
        ours(format!("GRANT SELECT ON {d}.credential TO {compute}"), "extra", "credential SELECT"),
        ours(
            format!("GRANT UPDATE (extra) ON {d}.credential TO {compute_a}"),
            "extra",
            format!("{p}compute_a UPDATE"),
        ),
        ours(format!("GRANT DROP ON {d}.credential TO {api}"), "extra", "DROP"),
        ours(
            format!("GRANT SELECT ON {d}.* TO {compute_a}"),
            "extra",
            format!("database {d} SELECT"),
        ),
        ours(format!("GRANT PROCESS ON *.* TO {compute_a}"), "extra", "server PROCESS"),
        ours(
            format!(
                "REVOKE SELECT (id) ON {} FROM {}",
                on.replace('?', "scheduler"),
                role("scheduler")
            ),
            "missing",
            format!("{p}scheduler credential.id SELECT"),
        ),
        ours(
            format!("REVOKE DELETE ON {} FROM {api}", on.replace('?', "api")),
            "missing",
            "DELETE",
        ),
        ours(format!("GRANT {api} TO {compute_a}"), "membership", format!("{p}compute_a {p}api")),
        ours(format!("REVOKE {compute} FROM {compute_a}"), "membership", "missing"),
        ours(format!("ALTER USER {compute_a} ACCOUNT LOCK"), "disabled", format!("{p}compute_a")),
        ours(
            format!("ALTER USER '{p}compute_b'@'%' ACCOUNT UNLOCK"),
            "enabled",
            format!("{p}compute_b"),
        ),
        ours(format!("ALTER USER {compute_a} WITH MAX_USER_CONNECTIONS 500"), "setting", "500"),
        ours(format!("ALTER USER {compute_a} REQUIRE X509"), "setting", "certificate"),
        ours(format!("CREATE USER '{p}ghost_a'@'%'"), "extra", format!("{p}ghost_a account")),
        ours(
            format!("CREATE USER '{p}api_a'@'localhost'"),
            "extra",
            format!("{p}api_a@localhost account"),
        ),
        ours(format!("DROP USER '{p}network_b'@'%'"), "missing", format!("{p}network_b account")),
        ours(
            format!(
                "CREATE TABLE host (id int, gone int); GRANT SELECT (gone) ON {d}.host TO {compute}; ALTER TABLE host DROP COLUMN gone"
            ),
            "stale",
            "host.gone SELECT",
        ),
        ours(
            format!("GRANT SELECT ON {d}.host TO {compute}; DROP TABLE host"),
            "stale",
            "host SELECT",
        ),
        theirs(
            format!(
                "CREATE USER 'other_{p}x'@'%'; GRANT SELECT ON {d}.credential TO 'other_{p}x'@'%'"
            ),
            "foreign",
            format!("other_{p}x SELECT"),
            format!("DROP USER 'other_{p}x'@'%'"),
        ),
        theirs(
            format!("CREATE USER 'other_{p}x'@'%'; GRANT INSERT ON {d}.* TO 'other_{p}x'@'%'"),
            "foreign",
            "database INSERT",
            format!("DROP USER 'other_{p}x'@'%'"),
        ),
    ]
}

fn on_mysql(p: &str, d: &str) -> Vec<Deviation> {
    let mut all =
        on_both(p, d, &format!("{d}.credential"), |component| format!("'{p}{component}'@'%'"));
    all.push(ours(
        format!("SET DEFAULT ROLE NONE TO '{p}compute_a'@'%'"),
        "membership",
        "not in force at login",
    ));
    all.push(ours(
        format!("ALTER USER '{p}compute'@'%' ACCOUNT UNLOCK"),
        "enabled",
        format!("{p}compute"),
    ));
    all
}

fn on_mariadb(p: &str, d: &str) -> Vec<Deviation> {
    let mut all =
        on_both(p, d, &format!("{p}?.credential"), |component| format!("'{p}{component}'"));
    all.push(ours(
        format!("SET DEFAULT ROLE NONE FOR '{p}compute_a'@'%'"),
        "membership",
        "not in force at login",
    ));
    all.push(ours(
        format!("ALTER USER '{p}compute_a'@'%' WITH MAX_STATEMENT_TIME 0"),
        "setting",
        "statement_timeout",
    ));
    all.push(ours(format!("DROP VIEW {p}compute.credential"), "view", "missing"));
    all.push(ours(
        format!("CREATE OR REPLACE SQL SECURITY DEFINER VIEW {p}compute.credential AS SELECT id, user_id, project_id, type, secret_key_sealed AS extra, access_key_sealed, access_key_index FROM {d}.credential"),
        "view", "shows something else",
    ));
    all.push(ours(
        format!("CREATE VIEW {p}compute.keys_too AS SELECT * FROM {d}.strongroom_key"),
        "view",
        "keys_too",
    ));
    all.push(theirs(
        format!("GRANT SELECT (id) ON {d}.credential TO PUBLIC"),
        "public",
        "credential.id SELECT",
        format!("REVOKE SELECT (id) ON {d}.credential FROM PUBLIC"),
    ));
    all
}
