//! Policies on real servers: brought, taken back, by hand, at once, killed in the middle, and beside others.

mod login;

use std::thread;

use sea_orm::ConnectionTrait as _;

use crate::schema_changes::cut_at_every_statement;
use crate::support::{
    Engine, OwnServer, Room, TlsServer, Verdict, block_on, numbered_rows, on_every_engine,
    on_every_server, ran, tried, until,
};

on_every_engine!(
    up_and_down_leave_nothing_behind,
    an_own_file_adds_tables_and_components,
    a_file_with_a_mistake_is_refused_with_its_line,
    a_stored_policy_that_was_altered_is_refused,
);

mod on_servers {
    use super::{
        a_column_that_comes_later_is_closed, a_plan_holds_only_for_what_it_was_made_for,
        a_second_version_goes_back_to_exactly_the_first, eight_at_once_end_well, on_every_server,
        programs_follow_a_policy_that_is_applied, two_databases_do_not_touch_each_other,
        what_the_server_differs_in_is_marked,
    };
    on_every_server!(
        a_column_that_comes_later_is_closed,
        a_plan_holds_only_for_what_it_was_made_for,
        a_second_version_goes_back_to_exactly_the_first,
        what_the_server_differs_in_is_marked,
        eight_at_once_end_well,
        programs_follow_a_policy_that_is_applied,
        two_databases_do_not_touch_each_other,
    );
}

fn prefix(room: &Room) -> String {
    let user = room.json(&["policy", "login", "api"])["user"].as_str().unwrap().to_owned();
    user.strip_suffix("api_a").unwrap().to_owned()
}

/// Everything that the server knows by this prefix: accounts, privileges, schemas.
fn traces(room: &Room, prefix: &str) -> i64 {
    match room.engine {
        Engine::Sqlite => 0,
        Engine::Postgres => room.number(&format!("SELECT count(*) FROM pg_roles WHERE starts_with(rolname::text, '{prefix}')")),
        _ => room.number(&format!(
            "SELECT (SELECT count(*) FROM mysql.user WHERE left(User, length('{prefix}')) = '{prefix}') + (SELECT count(*) FROM mysql.columns_priv \
             WHERE left(User, length('{prefix}')) = '{prefix}') + (SELECT count(*) FROM mysql.tables_priv WHERE left(User, length('{prefix}')) = '{prefix}') \
             + (SELECT count(*) FROM information_schema.schemata WHERE left(schema_name, length('{prefix}')) = '{prefix}')"
        )),
    }
}

/// Grants by name would come to life again under a table of the same name: the way down takes them before it
/// touches the table.
fn up_and_down_leave_nothing_behind(engine: Engine) {
    let rows = numbered_rows(3);
    let room = Room::sealed(engine, &rows);
    room.run(&["policy", "check"]).expect(0);
    let prefix = if engine == Engine::Sqlite { String::new() } else { prefix(&room) };
    assert_eq!(traces(&room, &prefix) > 0, engine != Engine::Sqlite);

    room.run(&["migrate", "down", "--to", "8", "--yes"]).expect(0);
    assert_eq!(traces(&room, &prefix), 0);
    assert_eq!(room.number("SELECT count(*) FROM strongroom_policy"), 0);
    assert_eq!(room.number("SELECT count(*) FROM strongroom_database_login"), 0);
    let refused = room.run(&["policy", "show"]).expect(1);
    assert!(refused.err.contains("no policy is in force"), "{refused:?}");

    room.run(&["migrate", "up"]).expect(0);
    room.run(&["policy", "check"]).expect(0);
    // A policy by hand stands on the one that a migration brought, and goes with it.
    std::fs::write(room.path().join("own.toml"), "without = [\"console\", \"metadata\"]\n")
        .unwrap();
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    assert!(room.json(&["policy", "show"])["components"]["console"].is_null());
    room.run(&["policy", "check"]).expect(0);
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(traces(&room, &prefix), 0);
    assert_eq!(room.plaintext(), rows);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    assert!(room.json(&["policy", "show"])["components"]["console"].is_object());
}

const OWN: &str = r#"
[component.billing]
connections = 3
[[component.billing.allow]]
table = "invoice"
select = "*"
insert = ["id", "amount"]
[[component.billing.allow]]
table = "credential"
select = ["id", "project_id"]
"#;

fn an_own_file_adds_tables_and_components(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    room.execute(
        "CREATE TABLE invoice (id integer NOT NULL PRIMARY KEY, amount integer, note varchar(20))",
    );
    std::fs::write(room.path().join("own.toml"), OWN).unwrap();
    let planned = room.json(&["policy", "plan", "--policy", "own.toml"]);
    assert_eq!(
        planned["statements"].as_array().unwrap().is_empty(),
        engine == Engine::Sqlite,
        "{planned}"
    );
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    room.run(&["policy", "check"]).expect(0);
    room.run(&["policy", "check", "--policy", "own.toml"]).expect(0);

    let billing = room.log_in_as("billing");
    for (sql, verdict) in [
        ("SELECT note FROM invoice", Verdict::Allowed),
        ("INSERT INTO invoice (id, amount) VALUES (1, 2)", Verdict::Allowed),
        ("INSERT INTO invoice (id, note) VALUES (1, 'n')", Verdict::Refused),
        ("UPDATE invoice SET amount = 3", Verdict::Refused),
        ("SELECT id FROM credential", Verdict::Allowed),
        ("SELECT user_id FROM credential", Verdict::Refused),
    ] {
        assert_eq!(tried(&billing, sql), verdict, "{sql}");
    }
    // The file says more than what is in force: something is left to do.
    std::fs::write(
        room.path().join("own.toml"),
        OWN.replace("[\"id\", \"project_id\"]", "[\"id\"]"),
    )
    .unwrap();
    let left =
        room.run(&["policy", "check", "--policy", "own.toml", "--format", "json"]).expect(3).json();
    assert_eq!(left["drift"][0]["kind"], "policy", "{left}");
    room.run(&["policy", "check"]).expect(0);
}

fn a_file_with_a_mistake_is_refused_with_its_line(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    for (text, says) in [
        (
            "[component.x]\n[[component.x.allow]]\ntable = \"credentail\"\nselect = \"*\"\n",
            "own.toml:3: unknown table `credentail`: did you mean `credential`?",
        ),
        (
            "[component.x]\n[[component.x.allow]]\ntable = \"credential\"\nselect = [\"usr_id\"]\n",
            "own.toml:4: unknown column `usr_id` of table `credential`: did you mean `user_id`?",
        ),
        (
            "without = [\"consol\"]\n",
            "own.toml:1: unknown component `consol`: did you mean `console`?",
        ),
        (
            "[component.x]\nconections = 3\n",
            "own.toml:2: unknown key `conections`: did you mean `connections`?",
        ),
    ] {
        std::fs::write(room.path().join("own.toml"), text).unwrap();
        let refused = room.run(&["policy", "plan", "--policy", "own.toml"]).expect(2);
        assert!(refused.err.contains(says), "{refused:?}");
    }
}

/// Whoever can write to the database cannot make a policy.
fn a_stored_policy_that_was_altered_is_refused(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    room.execute(
        "UPDATE strongroom_policy SET body = replace(body, '\"delete\":false', '\"delete\":true')",
    );
    for command in [&["policy", "show"][..], &["policy", "check"]] {
        let refused = room.run(command).expect(4);
        assert!(refused.err.contains("does not verify"), "{refused:?}");
    }
    assert!(room.components().is_err());
    // The way out is to say again what is meant.
    room.run(&["policy", "apply"]).expect(0);
    room.run(&["policy", "check"]).expect(0);
}

fn a_plan_holds_only_for_what_it_was_made_for(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    std::fs::write(room.path().join("own.toml"), "without = [\"console\"]\n").unwrap();
    room.run(&["policy", "plan", "--policy", "own.toml", "--out", "plan.json"]).expect(0);
    let stale = |arguments: &[&str], room: &Room| {
        let refused = room.run(arguments).expect(4);
        assert!(refused.err.contains("the plan does not fit any more"), "{refused:?}");
        refused.err
    };
    assert!(stale(&["policy", "apply", "plan.json"], &room).contains("the policy is another one"));

    let other = Room::sealed(engine, &numbered_rows(1));
    std::fs::copy(room.path().join("plan.json"), other.path().join("plan.json")).unwrap();
    std::fs::copy(room.path().join("own.toml"), other.path().join("own.toml")).unwrap();
    assert!(
        stale(&["policy", "apply", "plan.json", "--policy", "own.toml"], &other)
            .contains("another server or database")
    );

    let network = format!("{}network", prefix(&room));
    let table = if engine == Engine::MariaDb {
        format!("{}.credential", room.database())
    } else {
        "credential".to_owned()
    };
    room.give(&network, "SELECT (extra)", &table);
    assert!(
        stale(&["policy", "apply", "plan.json", "--policy", "own.toml"], &room)
            .contains("accounts and grants have changed")
    );

    room.run(&["policy", "plan", "--policy", "own.toml", "--out", "plan.json"]).expect(0);
    room.run(&["policy", "apply", "plan.json", "--policy", "own.toml"]).expect(0);
    room.run(&["policy", "check"]).expect(0);
    assert!(room.run(&["policy", "login", "console"]).code == 1);
}

fn eight_at_once_end_well(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    std::fs::write(room.path().join("own.toml"), "without = [\"console\", \"metadata\"]\n")
        .unwrap();
    thread::scope(|scope| {
        for place in 0..8 {
            let room = &room;
            scope.spawn(move || {
                // They do not even want the same.
                let own: &[&str] = if place % 2 == 0 { &["--policy", "own.toml"] } else { &[] };
                room.run(&[&["policy", "apply"], own].concat()).expect(0);
            });
        }
    });
    room.run(&["policy", "check"]).expect(0);
    room.run(&["policy", "apply"]).expect(0);
    room.run(&["policy", "check"]).expect(0);
}

fn two_databases_do_not_touch_each_other(engine: Engine) {
    let (one, two) =
        (Room::sealed(engine, &numbered_rows(1)), Room::sealed(engine, &numbered_rows(1)));
    assert_ne!(prefix(&one), prefix(&two));
    let session = two.log_in_as("api");
    assert_eq!(tried(&session, "SELECT id FROM credential"), Verdict::Allowed);
    one.run(&["migrate", "down", "--to", "8", "--yes"]).expect(0);
    two.run(&["policy", "check"]).expect(0);
    assert_eq!(tried(&session, "SELECT id FROM credential"), Verdict::Allowed);
    one.run(&["migrate", "up"]).expect(0);
    two.run(&["policy", "check"]).expect(0);
    let theirs = format!("SELECT id FROM {}.credential", one.database());
    if engine != Engine::Postgres {
        assert_eq!(tried(&session, &theirs), Verdict::Refused);
    }
}

fn a_column_that_comes_later_is_closed(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    room.execute(
        "CREATE TABLE invoice (id integer NOT NULL PRIMARY KEY, amount integer, note varchar(20))",
    );
    std::fs::write(room.path().join("own.toml"), OWN).unwrap();
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    room.execute("ALTER TABLE invoice ADD COLUMN later varchar(20)");
    assert_eq!(tried(&room.log_in_as("billing"), "SELECT later FROM invoice"), Verdict::Refused);
    room.run(&["policy", "check"]).expect(0);
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    assert_eq!(tried(&room.log_in_as("billing"), "SELECT later FROM invoice"), Verdict::Allowed);
}

/// Every statement commits by itself: kill -9 between any two, and the same command goes on, up and down.
#[test]
fn killed_between_any_two_statements() {
    for engine in [Engine::MySql, Engine::MariaDb] {
        let room = Room::with_plaintext(engine, &numbered_rows(2));
        let own = "replace = true\n[component.reader]\nconnections = 2\n[[component.reader.allow]]\ntable = \"credential\"\nselect = [\"id\", \"type\"]\n\
                   [component.writer]\ncertificate = true\n[[component.writer.allow]]\ntable = \"credential\"\nselect = [\"id\"]\ninsert = [\"id\"]\ndelete = true\n";
        std::fs::write(room.path().join("own.toml"), own).unwrap();
        std::fs::write(
            room.path().join("strongroom.toml"),
            "[policy]\nfile = \"own.toml\"\nprefix = \"killed_\"\n",
        )
        .unwrap();
        room.run(&["migrate", "up", "--to", "8", "--yes"]).expect(0);
        let up = cut_at_every_statement(&room, &["migrate", "up"], |_| {});
        room.run(&["policy", "check"]).expect(0);
        assert_eq!(
            tried(&room.log_in_as("reader"), "SELECT type FROM credential"),
            Verdict::Allowed
        );
        let down =
            cut_at_every_statement(&room, &["migrate", "down", "--to", "8", "--yes"], |_| {});
        assert_eq!(traces(&room, "killed_"), 0);
        assert!(up > 15 && down > 8, "{up} gaps up and {down} down");
    }
}

/// A policy that widens must not make running programs take their own new rights for somebody's mischief.
fn programs_follow_a_policy_that_is_applied(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let components = room.components().unwrap();
    let console = block_on(components.component("console")).unwrap();
    let reads =
        |column: &str| tried(console.database(), &format!("SELECT {column} FROM credential"));
    assert_eq!((reads("id"), reads("extra")), (Verdict::Allowed, Verdict::Refused));
    let own = "[[component.console.allow]]\ntable = \"credential\"\nselect = [\"extra\"]\n";
    std::fs::write(room.path().join("own.toml"), own).unwrap();
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    until("the program follows", || {
        components.policy().components["console"].tables["credential"].select.contains("extra")
    });
    // Another login, so that its pool opens new sessions.
    room.run(&["policy", "rotate-login", "console", "--settle", "1"]).expect(0);
    assert_eq!((reads("id"), reads("extra")), (Verdict::Allowed, Verdict::Allowed));
}

/// A version on top of another comes down to exactly what was before it.
fn a_second_version_goes_back_to_exactly_the_first(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(1));
    let shown = || room.json(&["policy", "show"])["components"].clone();
    room.run(&["migrate", "up", "--to", "9", "--yes"]).expect(0);
    let first = shown();
    room.run(&["policy", "apply"]).expect(3);
    room.run(&["migrate", "up"]).expect(0);
    let second = shown();
    let audit =
        |policy: &serde_json::Value| policy["auditor"]["tables"]["strongroom_audit"].clone();
    assert!(audit(&first).is_null() && audit(&second).is_object(), "{second}");
    room.run(&["policy", "check"]).expect(0);
    for to in ["10", "9"] {
        room.run(&["migrate", "down", "--to", to, "--yes"]).expect(0);
        assert_eq!(shown(), first);
        room.run(&["policy", "check"]).expect(0);
    }
    room.run(&["migrate", "up"]).expect(0);
    assert_eq!(shown(), second);
    room.run(&["policy", "check"]).expect(0);
}

fn what_the_server_differs_in_is_marked(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let own = "replace = true\n[component.reader]\n[[component.reader.allow]]\ntable = \"credential\"\nselect = [\"id\", \"type\"]\n\
               [component.writer]\n[[component.writer.allow]]\ntable = \"credential\"\nselect = [\"id\", \"extra\"]\nupdate = [\"extra\"]\ndelete = true\n";
    std::fs::write(room.path().join("own.toml"), own).unwrap();
    let prefix = prefix(&room);
    room.run(&["policy", "apply", "--policy", "own.toml"]).expect(0);
    let (reader, writer) = (format!("{prefix}reader"), format!("{prefix}writer"));
    let on = |role: &str| {
        if engine == Engine::MariaDb {
            format!("{role}.credential")
        } else {
            "credential".to_owned()
        }
    };
    room.give(&reader, "UPDATE (id)", &on(&reader));
    let quoted =
        |role: &str| if engine == Engine::Postgres { role.to_owned() } else { format!("'{role}'") };
    room.execute(&format!("REVOKE UPDATE (extra) ON {} FROM {}", on(&writer), quoted(&writer)));
    let shown = room.run(&["policy", "show"]).expect(0).out;
    let table = shown.split("\n\n").next().unwrap().lines().take(11).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("policy_show", table);
    assert!(shown.contains("the server differs from the policy in 2 places"), "{shown}");
}
