//! The whole way on the other versions of the servers that are tested.

use crate::support::{Engine, OwnServer, numbered_rows, ran};

/// Up, policies, a rotation, a roll, and back to the same rows.
fn the_whole_way(engine: Engine, version: &'static str, login: Option<&str>) {
    let server = OwnServer::in_version(engine, version);
    let room = server.room();
    let url = login.map_or_else(
        || room.url().to_owned(),
        |login| server.url(login, "Create-role-1", room.database()),
    );
    let run =
        |arguments: &[&str]| ran(room.command(arguments).env("STRONGROOM__DATABASE__URL", &url));
    if let Some(login) = login {
        server.execute(&format!("CREATE ROLE {login} CREATEROLE LOGIN PASSWORD 'Create-role-1'"));
        server.execute(&format!("ALTER DATABASE {} OWNER TO {login}", room.database()));
    }
    run(&["migrate", "up", "--to", "1"]).expect(0);
    let rows = numbered_rows(50);
    room.insert_plaintext(&rows);
    run(&["migrate", "up", "--yes"]).expect(0);
    run(&["policy", "check"]).expect(0);
    run(&["policy", "rotate-login", "api", "--settle", "1"]).expect(0);
    run(&["policy", "check"]).expect(0);
    run(&["keys", "rotate"]).expect(0);
    let doctor = run(&["doctor", "--format", "json"]).json();
    let said = |name: &str| {
        doctor["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned()
    };
    assert_eq!(said("database").unwrap()["state"], "ok", "{doctor}");
    assert_eq!(said("create role").is_some(), login.is_some(), "{doctor}");
    run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(room.plaintext(), rows);
    run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
}

#[test]
fn the_whole_way_on_postgres_15_with_a_login_that_may_make_roles() {
    the_whole_way(Engine::Postgres, "15", Some("maker"));
}

#[test]
fn the_whole_way_on_mariadb_10_11() {
    the_whole_way(Engine::MariaDb, "10.11", None);
}
