//! The logins of components: passwords, limits, certificates, and their end.

use super::*;

on_every_server!(
    component_login_requires_its_certificate,
    a_rewrap_takes_the_passwords_along,
    component_login_limits_hold_on_the_server,
    passwords_can_come_from_files,
    sessions_of_a_login_that_goes_are_ended,
);

/// A session outlives its account on every engine, and on MariaDB its rights too.
fn sessions_of_a_login_that_goes_are_ended(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let session = room.log_in_as("console");
    assert_eq!(tried(&session, "SELECT id FROM credential"), Verdict::Allowed);
    let user = room.json(&["policy", "login", "console"])["user"].as_str().unwrap().to_owned();
    std::fs::write(room.path().join("own.toml"), "without = [\"console\"]\n").unwrap();
    let applied = room.json(&["policy", "apply", "--policy", "own.toml"]);
    assert_eq!(applied["sessions_ended"], 1, "{applied}");
    let left = match engine {
        Engine::Postgres => {
            format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}'")
        }
        // Its list of processes cannot be read while a statement holds bytes.
        Engine::MySql => format!(
            "SELECT count(*) FROM performance_schema.threads WHERE PROCESSLIST_USER = '{user}'"
        ),
        _ => format!("SELECT count(*) FROM information_schema.processlist WHERE USER = '{user}'"),
    };
    until("the session is gone", || room.number(&left) == 0);
}

fn a_rewrap_takes_the_passwords_along(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let before = room.json(&["policy", "login", "api", "--reveal"]);
    room.run(&["keys", "rewrap", "--to", "file:next.key"]).expect(0);
    std::fs::write(room.path().join("strongroom.toml"), "[keys]\nfile = \"next.key\"\n").unwrap();
    assert_eq!(room.json(&["policy", "login", "api", "--reveal"]), before);
    room.run(&["policy", "rotate-login", "api", "--settle", "1"]).expect(0);
    room.run(&["policy", "check"]).expect(0);
}

fn passwords_can_come_from_files(engine: Engine) {
    use std::os::unix::fs::PermissionsExt as _;

    let room = Room::sealed(engine, &numbered_rows(1));
    let file = room.path().join("api.password");
    std::fs::write(
        room.path().join("strongroom.toml"),
        "[policy.password_files]\napi = \"api.password\"\n",
    )
    .unwrap();
    let rotate =
        |code| room.run(&["policy", "rotate-login", "api", "--settle", "1"]).expect(code).err;
    assert!(rotate(4).contains("does not exist"));
    std::fs::write(&file, "ab".repeat(31) + "cd\n").unwrap();
    assert!(rotate(4).contains("open to others"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    rotate(0);
    assert_eq!(
        room.json(&["policy", "login", "api", "--reveal"])["password"],
        "ab".repeat(31) + "cd"
    );
    assert_eq!(tried(&room.log_in_as("api"), "SELECT id FROM credential"), Verdict::Allowed);
    assert!(rotate(4).contains("still holds the password in use"));
    std::fs::write(&file, "not a password\n").unwrap();
    assert!(rotate(4).contains("64 hexadecimal digits"));
}

fn component_login_limits_hold_on_the_server(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let own = "[component.console]\nstatement_timeout = \"1s\"\nconnections = 2\n";
    std::fs::write(room.path().join("own.toml"), own).unwrap();
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    let console = room.component("console");
    let slow = match engine {
        Engine::Postgres => "SELECT pg_sleep(10)",
        // MySQL bounds statements that read tables, and its `sleep` says how it ended.
        Engine::MySql => "SELECT count(*) FROM credential a WHERE sleep(10) = 0",
        _ => "SELECT sleep(10) FROM credential",
    };
    let begun = std::time::Instant::now();
    let _ = block_on(console.database().execute_unprepared(slow));
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    if engine == Engine::Postgres {
        let named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'strongroom/console' AND datname = current_database()";
        assert!(room.number(named) > 0);
    }
    std::fs::write(room.path().join("own.toml"), "[component.console]\nconnections = 5000\n")
        .unwrap();
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    let refused = room.components().err().unwrap().to_string();
    assert!(refused.contains("the server allows"), "{refused}");
    let found = room.run(&["doctor", "--format", "json"]).expect(3);
    assert!(found.out.contains("pools may open 5"), "{found:?}");
}

/// On MySQL and MariaDB the account asks for it; on PostgreSQL a line of `pg_hba.conf` does, as the README has it.
fn component_login_requires_its_certificate(engine: Engine) {
    let (server, desk, name) =
        (TlsServer::of(engine), Room::empty(Engine::Sqlite), TlsServer::new_name());
    let root = server.url_at(
        server.on_loopback(),
        if engine == Engine::Postgres { "postgres" } else { "root" },
        &name,
    );
    let run =
        |arguments: &[&str]| ran(desk.command(arguments).env("STRONGROOM__DATABASE__URL", &root));
    std::fs::write(desk.path().join("strongroom.toml"), "[policy]\nfile = \"own.toml\"\n").unwrap();
    std::fs::write(desk.path().join("own.toml"), "[component.console]\ncertificate = true\n")
        .unwrap();
    run(&["init"]).expect(0);
    run(&["migrate", "up", "--yes"]).expect(0);
    run(&["policy", "check"]).expect(0);
    let login = run(&["policy", "login", "console", "--reveal", "--format", "json"]).json();
    let (user, password) = (login["user"].as_str().unwrap(), login["password"].as_str().unwrap());
    if engine == Engine::Postgres {
        let rule = format!("hostssl all {user} all scram-sha-256 clientcert=verify-ca");
        server.run(&format!("sed -i '1i {rule}' \"$PGDATA/pg_hba.conf\""));
        server.execute("SELECT pg_reload_conf()");
    }
    let (certificate, key) = server.authority.sign_client();
    for (file, text) in
        [("ca.pem", &server.authority.pem), ("client.pem", &certificate), ("client.key", &key)]
    {
        std::fs::write(desk.path().join(file), text).unwrap();
    }
    let scheme = if engine == Engine::Postgres { "postgres" } else { "mysql" };
    let at =
        server.url_at(server.on_loopback(), "user", login["database"].as_str().unwrap_or(&name));
    let at = format!("{scheme}://{user}:{password}@{}", at.rsplit_once('@').unwrap().1);
    let path = |file: &str| desk.path().join(file).display().to_string();
    let with = match engine {
        Engine::Postgres => format!(
            "{at}?sslmode=require&sslcert={}&sslkey={}",
            path("client.pem"),
            path("client.key")
        ),
        _ => format!(
            "{at}?ssl-mode=required&ssl-cert={}&ssl-key={}",
            path("client.pem"),
            path("client.key")
        ),
    };
    let lets_in = |url: &str| block_on(sea_orm::Database::connect(url)).map(drop);
    // PostgreSQL reads its file anew some time after it was told to.
    until("kept out without a certificate", || lets_in(&at).is_err());
    lets_in(&with).unwrap();
}

/// Reported, and nobody else's to remove. Every test on the server would see it: the server is this test's alone.
#[test]
fn accounts_without_a_name_are_reported() {
    for engine in [Engine::MySql, Engine::MariaDb] {
        let server = OwnServer::of(engine);
        let room = server.room();
        room.run(&["migrate", "up", "--yes"]).expect(0);
        let _undone = server.undone(["DROP USER ''@'nowhere.invalid'"]);
        server.execute("CREATE USER ''@'nowhere.invalid'");
        let found = room.run(&["policy", "check", "--format", "json"]);
        assert!(
            found.json()["drift"]
                .as_array()
                .unwrap()
                .iter()
                .any(|drift| drift["kind"] == "anonymous"),
            "{found:?}"
        );
        assert_eq!(found.code, 3);
    }
}
