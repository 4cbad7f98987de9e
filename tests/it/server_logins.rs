//! Logins and servers that lack something, or have too much: said before the first change, with the cure; judged alike by
//! `policy check`, `doctor` and each new session of a component.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use strongroom::policy::GrantError;

use crate::support::{Engine, OwnServer, Ran, Room, Verdict, block_on, numbered_rows, ran, tried};

/// What a hosting panel makes: everything on one database, nothing on the server.
struct Plain {
    room: Room,
    url: String,
}

impl Plain {
    fn new(room: Room) -> Self {
        let engine = room.engine;
        let database = room.database().to_owned();
        let login = format!("plain_{database}");
        for sql in match engine {
            Engine::Postgres => [
                format!("CREATE ROLE {login} LOGIN PASSWORD 'Plain-dba-1'"),
                format!("ALTER DATABASE {database} OWNER TO {login}"),
            ],
            _ => [
                format!("CREATE USER '{login}'@'%' IDENTIFIED BY 'Plain-dba-1'"),
                format!("GRANT ALL PRIVILEGES ON {database}.* TO '{login}'@'%'"),
            ],
        } {
            room.execute(&sql);
        }
        let (scheme, rest) = room.url().split_once("://").unwrap();
        let url = format!("{scheme}://{login}:Plain-dba-1@{}", rest.split_once('@').unwrap().1);
        Self { room, url }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.room.command(arguments).env("STRONGROOM__DATABASE__URL", &self.url))
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        if self.room.engine == Engine::MariaDb {
            let drop = format!("DROP USER 'plain_{}'@'%'", self.room.database());
            // A test that fails has its own message.
            let _ = self.room.try_execute(&drop, vec![]);
        }
    }
}

/// The statements that a help names.
fn cures(help: &str) -> Vec<String> {
    help.split('`').filter_map(|part| part.strip_suffix(';')).map(str::to_owned).collect()
}

#[test]
fn a_login_that_owns_its_database_is_told_what_more_takes_on_postgres() {
    a_login_that_owns_its_database_is_told_what_more_takes(Room::empty(Engine::Postgres));
}

#[test]
fn a_login_that_owns_its_database_is_told_what_more_takes_on_mariadb() {
    // It ends with a right on the view databases of every component, which other tests would find as drift.
    let server = OwnServer::of(Engine::MariaDb);
    a_login_that_owns_its_database_is_told_what_more_takes(server.room());
}

/// With a binary log, making triggers takes a setting or SUPER.
#[test]
fn a_login_that_owns_its_database_is_told_what_more_takes_on_mysql() {
    let server = OwnServer::of(Engine::MySql);
    let _undone = server.undone(["SET GLOBAL log_bin_trust_function_creators = DEFAULT"]);
    let plain = Plain::new(server.room());
    let refused = plain.run(&["migrate", "up", "--to", "8", "--yes"]).expect(4);
    assert!(
        refused.err.contains("`SET GLOBAL log_bin_trust_function_creators = 1;`"),
        "{refused:?}"
    );
    assert_eq!(plain.room.tables(), 0, "nothing was changed");
    plain.run(&["migrate", "up", "--to", "2", "--yes"]).expect(0);
    plain.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    server.execute("SET GLOBAL log_bin_trust_function_creators = 1");
    a_login_that_owns_its_database_is_told_what_more_takes(server.room());
}

fn a_login_that_owns_its_database_is_told_what_more_takes(room: Room) {
    let plain = Plain::new(room);
    let refused = plain.run(&["migrate", "up", "--yes", "--format", "json"]).expect(4).json();
    assert_eq!(refused["error"]["code"], "not_ready", "{refused}");
    assert_eq!(plain.room.tables(), 0, "nothing was changed");
    plain.run(&["migrate", "up", "--to", "8", "--yes"]).expect(0);
    plain.run(&["keys", "verify"]).expect(0);
    assert_eq!(plain.run(&["migrate", "up", "--yes"]).code, 4);
    plain.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);

    // The cures are statements as they stand, and all that is missing.
    let help = refused["error"]["help"].as_str().unwrap();
    assert!(help.contains("migrate up --to 8"), "{help}");
    for cure in cures(&help.replace("ON `", "ON \u{1}").replace("`.", "\u{1}.")) {
        plain.room.execute(&cure.replace('\u{1}', "`"));
    }
    plain.run(&["migrate", "up", "--yes"]).expect(0);
    plain.run(&["policy", "check"]).expect(0);
    plain.run(&["policy", "apply"]).expect(0);
    plain.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}

/// What a component is refused for, if it is.
fn reason(room: &Room, name: &str) -> Option<String> {
    let components = room.components_at(room.url()).unwrap();
    match block_on(components.component(name)) {
        Ok(_) => None,
        Err(GrantError::Login { reason, .. }) => Some(reason),
        Err(other) => Some(other.to_string()),
    }
}

fn drift(room: &Room, code: i32) -> Vec<Value> {
    room.run(&["policy", "check", "--format", "json"]).expect(code).json()["drift"]
        .as_array()
        .unwrap()
        .clone()
}

/// `policy check`, `doctor` and a new session say the same, and the statement that the first one names ends it.
#[track_caller]
fn all_object_until_cured(room: &Room, kind: &str, session_says: Option<&str>) {
    let found = drift(room, 3);
    let of_kind: Vec<_> = found.iter().filter(|drift| drift["kind"] == kind).collect();
    assert!(!of_kind.is_empty() && of_kind.len() == found.len(), "{found:?}");
    room.run(&["doctor"]).expect(3);
    if let Some(says) = session_says {
        let reason = reason(room, "compute").unwrap_or_default();
        assert!(reason.contains(says), "{reason}");
    }
    for drift in of_kind {
        room.execute(drift["cure"].as_str().unwrap_or_else(|| panic!("no cure: {drift}")));
    }
    room.run(&["policy", "check"]).expect(0);
    assert_eq!(reason(room, "compute"), None);
}

#[test]
fn what_stands_beside_the_policy_is_judged_alike_on_postgres() {
    let room = Room::sealed(Engine::Postgres, &numbered_rows(1));
    let role = room.json(&["policy", "login", "compute"])["user"].as_str().unwrap().to_owned();
    room.execute("ALTER TABLE credential ENABLE ROW LEVEL SECURITY");
    all_object_until_cured(
        &room,
        "row_security",
        Some("ALTER TABLE \"public\".\"credential\" DISABLE ROW LEVEL SECURITY"),
    );
    room.execute("GRANT CREATE ON SCHEMA public TO PUBLIC");
    all_object_until_cured(&room, "public", Some("REVOKE CREATE ON SCHEMA \"public\" FROM PUBLIC"));
    room.execute("GRANT SELECT ON credential TO PUBLIC");
    all_object_until_cured(&room, "public", Some("as everybody may"));
    room.execute("CREATE SEQUENCE theirs");
    room.execute(&format!("ALTER SEQUENCE theirs OWNER TO {role}"));
    all_object_until_cured(&room, "owner", Some("OWNER of sequence theirs"));
    room.execute("CREATE SCHEMA elsewhere");
    room.execute("CREATE TABLE elsewhere.theirs (id int)");
    room.execute(&format!("ALTER TABLE elsewhere.theirs OWNER TO {role}"));
    all_object_until_cured(&room, "owner", Some("OWNER of table elsewhere.theirs"));
    room.execute("CREATE TABLE app (id int)");
    room.execute("GRANT SELECT ON app TO PUBLIC");
    all_object_until_cured(&room, "public", Some("public.app.id SELECT, as everybody may"));
    room.execute("GRANT SELECT ON app TO PUBLIC");
    fs::write(room.path().join("own.toml"), "known = [\"PUBLIC\"]\n").unwrap();
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    // A table that lasts for a session matters to nobody.
    let session = room.log_in_as("compute");
    block_on(sea_orm::ConnectionTrait::execute_unprepared(
        &session,
        "CREATE TEMP TABLE mine (id int)",
    ))
    .unwrap();
    room.run(&["policy", "check"]).expect(0);
    assert_eq!(reason(&room, "compute"), None);
}

#[test]
fn what_stands_beside_the_policy_is_judged_alike_on_mysql() {
    let server = OwnServer::of(Engine::MySql);
    let room = server.room();
    room.run(&["migrate", "up", "--yes"]).expect(0);
    server.execute("CREATE USER ''@'nowhere.example'");
    all_object_until_cured(&room, "anonymous", None);
    server.execute("CREATE ROLE 'everybody'");
    server.execute("SET GLOBAL mandatory_roles = '`everybody`@`%`'");
    all_object_until_cured(&room, "membership", Some("role everybody"));
}

#[test]
fn what_stands_beside_the_policy_is_judged_alike_on_mariadb() {
    let server = OwnServer::of(Engine::MariaDb);
    let room = server.room();
    room.run(&["migrate", "up", "--yes"]).expect(0);
    // As installing the server makes it: everybody may work in schema test.
    server.execute("CREATE DATABASE IF NOT EXISTS test");
    server.execute("GRANT SELECT, INSERT, CREATE ON test.* TO PUBLIC");
    server.execute("GRANT SELECT, INSERT, CREATE ON `test\\_%`.* TO PUBLIC");
    room.run(&["policy", "check"]).expect(0);
    assert_eq!(reason(&room, "compute"), None);
    server.execute(&format!("GRANT SELECT ON `{}`.* TO PUBLIC", room.database()));
    all_object_until_cured(&room, "public", Some("as everybody may"));
    server.execute(&format!("GRANT SELECT (id) ON `{}`.credential TO PUBLIC", room.database()));
    all_object_until_cured(&room, "public", Some("REVOKE SELECT (`id`)"));
    server.execute("CREATE USER ''@'nowhere.example'");
    all_object_until_cured(&room, "anonymous", None);
    server.execute("DROP DATABASE test");
    server.execute("REVOKE SELECT, INSERT, CREATE ON test.* FROM PUBLIC");
    server.execute("REVOKE SELECT, INSERT, CREATE ON `test\\_%`.* FROM PUBLIC");
}

/// Rules for passwords, as distributions switch them on and stricter.
fn passwords_meet_the_rules(engine: Engine, on: &[&str], off: &[&str]) {
    let server = OwnServer::of(engine);
    let _undone = server.undone(off.iter().copied());
    for sql in on {
        server.execute(sql);
    }
    let room = server.room();
    let file = room.path().join("api.password");
    fs::write(
        room.path().join("strongroom.toml"),
        "[policy.password_files]\napi = \"api.password\"\n",
    )
    .unwrap();
    let write = |text: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(&"ab12".repeat(16).replacen("ab", "cd", 1));
    let refused = room.run(&["migrate", "up", "--yes"]).expect(4);
    assert!(refused.err.contains("api.password does not meet"), "{refused:?}");
    assert_eq!(room.tables(), 0, "nothing was changed");
    write("mR8+q2Zk/0vB1nYx7Wc5uTt9hLp4sJd6gFa3eQiOoXM=\n");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["policy", "check"]).expect(0);
    let empty = "SELECT count(*) FROM mysql.user WHERE authentication_string IN ('', 'invalid') AND (User LIKE 'sr%\\_a' OR User LIKE 'sr%\\_b')";
    assert_eq!(room.number(empty), 0);
    for component in ["api", "compute"] {
        write("Another-PassPhrase-of-the-operator-7\n");
        room.run(&["policy", "rotate-login", component, "--settle", "1"]).expect(0);
        assert_eq!(
            tried(&room.log_in_as(component), "SELECT id FROM credential"),
            Verdict::Allowed
        );
    }
    room.run(&["policy", "check"]).expect(0);
    write(&"34ab".repeat(16).replacen("ab", "cd", 1));
    let refused = room.run(&["policy", "rotate-login", "api", "--settle", "1"]).expect(4);
    assert!(refused.err.contains("rules for passwords"), "{refused:?}");
    write("Another-PassPhrase-of-the-operator-8\n");
    room.run(&["policy", "rotate-login", "api", "--settle", "1"]).expect(0);
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}

#[test]
fn passwords_meet_the_rules_on_mysql() {
    passwords_meet_the_rules(
        Engine::MySql,
        &[
            "INSTALL COMPONENT 'file://component_validate_password'",
            "SET GLOBAL validate_password.policy = STRONG",
            "SET GLOBAL validate_password.length = 20",
            "SET GLOBAL validate_password.mixed_case_count = 3",
            "SET GLOBAL validate_password.special_char_count = 1",
        ],
        &["UNINSTALL COMPONENT 'file://component_validate_password'"],
    );
}

#[test]
fn passwords_meet_the_rules_on_mariadb() {
    passwords_meet_the_rules(
        Engine::MariaDb,
        &["INSTALL SONAME 'simple_password_check'"],
        &["UNINSTALL SONAME 'simple_password_check'"],
    );
}

#[test]
fn rules_that_no_password_made_here_meets_are_named_before_the_first_change() {
    let server = OwnServer::of(Engine::MySql);
    let _undone = server.undone(["UNINSTALL COMPONENT 'file://component_validate_password'"]);
    server.execute("INSTALL COMPONENT 'file://component_validate_password'");
    server.execute("SET GLOBAL validate_password.length = 200");
    let room = server.room();
    let refused = room.run(&["migrate", "up", "--yes"]).expect(4);
    assert!(refused.err.contains("SET GLOBAL validate_password.length = 79"), "{refused:?}");
    assert_eq!(room.tables(), 0);
}

/// As a dump and its restoration do.
fn copy(server: &OwnServer, room: &Room, to: &str) {
    let tables = "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()";
    for table in room.query(tables, |row| row.try_get_by_index::<String>(0).unwrap()) {
        server.execute(&format!("CREATE TABLE {to}.{table} LIKE {}.{table}", room.database()));
        server.execute(&format!(
            "INSERT INTO {to}.{table} SELECT * FROM {}.{table}",
            room.database()
        ));
    }
    let triggers = "SELECT CAST(concat('CREATE TRIGGER TO.', trigger_name, ' ', action_timing, ' ', event_manipulation, ' ON TO.', \
                    event_object_table, ' FOR EACH ROW ', action_statement) AS CHAR) FROM information_schema.triggers \
                    WHERE trigger_schema = DATABASE()";
    for trigger in room.query(triggers, |row| row.try_get_by_index::<String>(0).unwrap()) {
        server.execute(&trigger.replace("TO.", &format!("{to}.")));
    }
}

/// MySQL has no rename of a database: it is dumped and restored, and the grants on the old one stay.
fn a_database_that_was_moved_is_taken_over(engine: Engine) {
    let server = OwnServer::of(engine);
    let room = server.room();
    room.run(&["migrate", "up", "--yes"]).expect(0);
    let (url, name) = server.new_database();
    copy(&server, &room, &name);
    let run =
        |arguments: &[&str]| ran(room.command(arguments).env("STRONGROOM__DATABASE__URL", &url));
    // While the first one is there, it is the other one's business.
    assert!(run(&["policy", "apply"]).expect(4).err.contains("another database"));
    server.execute(&format!("DROP DATABASE {}", room.database()));
    run(&["policy", "check"]).expect(3);
    run(&["policy", "apply"]).expect(0);
    run(&["policy", "check"]).expect(0);
    run(&["policy", "rotate-login", "api", "--settle", "1"]).expect(0);
    run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}

#[test]
fn a_database_that_was_moved_is_taken_over_on_mysql() {
    a_database_that_was_moved_is_taken_over(Engine::MySql);
}

#[test]
fn a_database_that_was_moved_is_taken_over_on_mariadb() {
    a_database_that_was_moved_is_taken_over(Engine::MariaDb);
}

/// Everything is made in another schema, and programs find it by their login alone.
#[test]
fn a_schema_of_its_own_is_shown_and_set_for_the_logins() {
    let room = Room::empty(Engine::Postgres);
    room.execute("CREATE SCHEMA \"Team 1\"");
    let url = format!("{}?options=-c%20search_path%3D%22Team%5C%201%22", room.url());
    let run =
        |arguments: &[&str]| ran(room.command(arguments).env("STRONGROOM__DATABASE__URL", &url));
    run(&["migrate", "up", "--yes"]).expect(0);
    run(&["policy", "check"]).expect(0);
    let login =
        run(&["policy", "login", "metadata", "--reveal", "--format", "json"]).expect(0).json();
    assert_eq!(login["schema"], "Team 1", "{login}");
    let (user, password) = (login["user"].as_str().unwrap(), login["password"].as_str().unwrap());
    let plain = room.url().replace("postgres:only-for-tests@", &format!("{user}:{password}@"));
    let session = block_on(sea_orm::Database::connect(plain)).unwrap();
    assert_eq!(tried(&session, "SELECT id FROM credential"), Verdict::Allowed);
    block_on(sea_orm::ConnectionTrait::execute_unprepared(&session, "SELECT id FROM credential"))
        .unwrap();
    room.execute(&format!("ALTER ROLE {user} IN DATABASE {} RESET search_path", room.database()));
    run(&["policy", "check"]).expect(3);
    run(&["policy", "apply"]).expect(0);
    run(&["policy", "check"]).expect(0);
    run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}

/// A schema that was made later and stands before ours in the path.
#[test]
fn a_schema_that_comes_before_ours_changes_nothing() {
    let rows = numbered_rows(3);
    let room = Room::sealed(Engine::Postgres, &rows);
    let login = format!("early_{}", room.database());
    room.execute(&format!("CREATE ROLE {login} SUPERUSER LOGIN PASSWORD 'only-for-tests'"));
    room.execute(&format!("CREATE SCHEMA {login}"));
    let url = room.url().replace("postgres:only-for-tests@", &format!("{login}:only-for-tests@"));
    let run = |arguments: &[&str]| {
        ran(room.command(arguments).env("STRONGROOM__DATABASE__URL", &url)).expect(0)
    };
    run(&["policy", "check"]);
    run(&["policy", "rotate-login", "api", "--settle", "1"]);
    run(&["keys", "rotate"]);
    run(&["migrate", "down", "--to", "1", "--yes"]);
    assert_eq!(room.plaintext(), rows);
    run(&["migrate", "down", "--to", "0", "--yes"]);
    room.execute(&format!("DROP SCHEMA {login}"));
    room.execute(&format!("DROP ROLE {login}"));
}
