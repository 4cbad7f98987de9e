//! The service: each caller answered by its own component's login, and nothing handed out without a row that says so.

mod login;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{
    Caller, Engine, Room, Service, block_on, numbered_rows, on_every_engine, on_every_server, until,
};

on_every_engine!(
    every_component_may_what_its_policy_says,
    a_secret_goes_out_in_two_places_only,
    the_command_line_is_a_client_of_it,
    another_users_credential_is_not_there,
    what_cannot_be_written_down_is_not_handed_out,
    a_long_list_is_shown_whole_or_not_at_all,
);

const CALLERS: [&str; 9] = [
    "api",
    "auditor",
    "compute",
    "conductor",
    "console",
    "metadata",
    "network",
    "operator",
    "scheduler",
];

fn room(engine: Engine) -> Room {
    Room::sealed(engine, &numbered_rows(3))
}

/// One snapshot for all engines: the route, and what each component is answered.
fn every_component_may_what_its_policy_says(engine: Engine) {
    let room = room(engine);
    let service = room.serve("");
    let api = service.caller("api");
    let make = || {
        let made = api
            .post("/v3/users/alice/credentials/OS-EC2", &json!({ "tenant_id": "web" }))
            .expect(201)
            .json();
        made["credential"]["access"].as_str().unwrap().to_owned()
    };
    let mut said = String::new();
    let mut line = |route: &str, ask: &dyn Fn(&Caller) -> String| {
        writeln!(said, "{route}").unwrap();
        for component in CALLERS {
            writeln!(said, "    {component:<10} {}", ask(&service.caller(component))).unwrap();
        }
    };
    line("POST /v3/users/{user_id}/credentials/OS-EC2", &|caller| {
        caller.post("/v3/users/bob/credentials/OS-EC2", &json!({ "tenant_id": "web" })).verdict()
    });
    line("GET /v3/users/{user_id}/credentials/OS-EC2", &|caller| {
        let answer = caller.get("/v3/users/user-1/credentials/OS-EC2");
        let secret = &answer.json()["credentials"][0]["secret"];
        format!("{} {}", answer.verdict(), if secret.is_string() { "with secrets" } else { "" })
            .trim()
            .to_owned()
    });
    let access = make();
    line("GET /v3/users/{user_id}/credentials/OS-EC2/{access}", &|caller| {
        let answer = caller.get(&format!("/v3/users/alice/credentials/OS-EC2/{access}"));
        let secret = answer.json()["credential"]["secret"].is_string();
        format!("{} {}", answer.verdict(), if secret { "with its secret" } else { "" })
            .trim()
            .to_owned()
    });
    line("DELETE /v3/users/{user_id}/credentials/OS-EC2/{access}", &|caller| {
        caller.delete(&format!("/v3/users/alice/credentials/OS-EC2/{}", make())).verdict()
    });
    line("GET /v1/credentials", &|caller| caller.get("/v1/credentials").verdict());
    line("POST /v1/credentials", &|caller| {
        caller.post("/v1/credentials", &json!({ "user_id": "carol", "type": "totp" })).verdict()
    });
    line("GET /v1/credentials/{id}", &|caller| caller.get("/v1/credentials/row-000001").verdict());
    line("GET /v1/credentials/{id}?reveal=true", &|caller| {
        caller.get("/v1/credentials/row-000001?reveal=true").verdict()
    });
    line("POST /v1/credentials/find", &|caller| {
        caller.post("/v1/credentials/find", &json!({ "access": access })).verdict()
    });
    line("DELETE /v1/credentials/{id}", &|caller| {
        let rows = api.get("/v1/credentials?user_id=carol").json();
        let id = rows["credentials"][0]["id"].as_str().map_or("nothing".to_owned(), str::to_owned);
        caller
            .delete(&format!(
                "/v1/credentials/{}",
                if id == "nothing" { "row-000002" } else { &id }
            ))
            .verdict()
    });
    line("GET /v1/status/migrations", &|caller| caller.get("/v1/status/migrations").verdict());
    line("GET /v1/status/keys", &|caller| caller.get("/v1/status/keys").verdict());
    line("GET /v1/status/policy", &|caller| caller.get("/v1/status/policy").verdict());
    line("GET /metrics", &|caller| caller.get("/metrics").status.to_string());
    insta::assert_snapshot!("service_access", said);
    assert!(!service.log().contains(&access), "an access key in the log");
    room.run(&["audit", "verify"]).expect(0);
}

/// Everything that goes over the wire or into the log, and the two answers in which a secret may stand.
fn a_secret_goes_out_in_two_places_only(engine: Engine) {
    let room = room(engine);
    let service = room.serve("");
    let api = service.caller("api");
    let made =
        api.post("/v3/users/alice/credentials/OS-EC2", &json!({ "tenant_id": "web" })).expect(201);
    let credential = made.json()["credential"].clone();
    let (access, secret) =
        (credential["access"].as_str().unwrap(), credential["secret"].as_str().unwrap());
    let id =
        api.post("/v1/credentials/find", &json!({ "access": access })).expect(200).json()["id"]
            .clone();
    let id = id.as_str().unwrap();
    let mut permitted = vec![made.text];
    let mut others = Vec::new();
    for component in CALLERS {
        let caller = service.caller(component);
        for path in [
            format!("/v3/users/alice/credentials/OS-EC2/{access}"),
            "/v3/users/alice/credentials/OS-EC2".to_owned(),
            format!("/v1/credentials/{id}?reveal=true"),
            format!("/v1/credentials/{id}"),
            "/v1/credentials?user_id=alice".to_owned(),
            "/metrics".to_owned(),
            "/v1/status/keys".to_owned(),
            "/v1/status/policy".to_owned(),
        ] {
            let answer = caller.get(&path);
            let shows = answer.text.contains(secret);
            let may = matches!(component, "api" | "metadata")
                && (path.contains("OS-EC2") || path.contains("reveal"));
            assert_eq!(shows, may, "{component} {path}: {answer:?}");
            if shows { permitted.push(answer.text) } else { others.push(answer.text) }
        }
        let found =
            caller.post("/v1/credentials/find", &json!({ "access": access, "reveal": false }));
        assert!(!found.text.contains(secret), "{component}");
        others.push(
            caller.post("/v1/credentials/find", &json!({ "access": secret, "reveal": true })).text,
        );
        others.push(caller.ask("PUT", &format!("/v1/credentials/{secret}"), None).unwrap().text);
        others.push(caller.get(&format!("/{secret}")).text);
        others
            .push(caller.post("/v1/credentials", &json!({ "user_id": 7, "secret": secret })).text);
    }
    assert_eq!(
        permitted.len(),
        1 + 2 * 3,
        "the creation, and what two components may read in three ways"
    );
    assert!(others.iter().all(|text| !text.contains(secret)), "{others:?}");
    let revealed =
        room.json(&["audit", "list", "--action", "reveal", "--object", id, "--limit", "1000"]);
    let done =
        revealed["rows"].as_array().unwrap().iter().filter(|row| row["result"] == "done").count();
    assert_eq!(done, 2 * 3, "each reveal has its row: {revealed}");
    let rows = room.run(&["audit", "list", "--limit", "10000", "--format", "json"]).expect(0).all();
    assert!(!rows.contains(secret) && !rows.contains(access), "{rows}");
    let key = std::fs::read_to_string(room.key_file()).unwrap();
    let log = service.stop();
    assert!(log.contains("strongroom::access"), "{log}");
    for (what, text) in [("secret", secret), ("access key", access), ("root key", key.trim())] {
        assert!(!log.contains(text), "the {what} is in the log");
    }
}

/// The same commands, with and without --service, over https and over http on loopback.
fn the_command_line_is_a_client_of_it(engine: Engine) {
    let room = room(engine);
    let service = room.serve("");
    let plain =
        Service::start_with(&room, &[("TLS", "false"), ("IDENTITY__PLAIN_COMPONENT", "api")]);
    let certified = |component: &str| {
        let of = |what: &str| format!("certs/{component}.{what}");
        [
            "--ca-file".to_owned(),
            "certs/ca.pem".to_owned(),
            "--certificate".to_owned(),
            of("pem"),
            "--private-key-file".to_owned(),
            of("key"),
        ]
    };
    let over_https: Vec<_> =
        [vec!["--service".to_owned(), service.url.clone()], certified("api").to_vec()].concat();
    let over_http = vec!["--service".to_owned(), plain.url.clone()];
    for way in [over_https, over_http] {
        let run = |arguments: &[&str], code| {
            let way: Vec<_> = way.iter().map(String::as_str).collect();
            room.run(&[&["credential", "--format", "json"], way.as_slice(), arguments].concat())
                .expect(code)
                .json()
        };
        let made = run(
            &["create", "--user-id", "dora", "--project-id", "web", "--access", "an access key"],
            0,
        );
        let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
        assert_eq!(made["access"], "an access key");
        let local = room.json(&["credential", "show", "an access key", "--reveal"]);
        assert_eq!(local, made);
        assert_eq!(run(&["show", "an access key", "--reveal"], 0), local);
        assert_eq!(run(&["show", "--id", id], 0)["secret"], Value::Null);
        let list = run(&["list", "--user-id", "dora", "--limit", "5"], 0);
        assert_eq!(list, room.json(&["credential", "list", "--user-id", "dora", "--limit", "5"]));
        assert_eq!(
            run(&["create", "--user-id", "dora", "--access", "an access key"], 1)["error"]["code"],
            "exists"
        );
        assert!(!list.to_string().contains(secret));
        run(&["delete", "an access key"], 0);
        assert_eq!(run(&["show", "--id", id], 1)["error"]["code"], "not_found");
        assert_eq!(run(&["delete", "--id", id], 1)["error"]["code"], "not_found");
    }
    let compute = certified("compute");
    let compute: Vec<_> = compute.iter().map(String::as_str).collect();
    let refused = room.run(
        &[
            &[
                "credential",
                "show",
                "--id",
                "row-000001",
                "--reveal",
                "--format",
                "json",
                "--service",
                &service.url,
            ],
            compute.as_slice(),
        ]
        .concat(),
    );
    assert_eq!(refused.expect(4).json()["error"]["code"], "forbidden");
    let stranger =
        room.run(&["credential", "list", "--service", &service.url, "--ca-file", "certs/ca.pem"]);
    assert!(stranger.expect(4).err.contains("certificate"));
    let elsewhere = room.run(&["credential", "list", "--service", "http://192.0.2.1:1"]);
    assert!(elsewhere.expect(4).err.contains("plain HTTP off loopback"));
    assert!(
        room.run(&["credential", "list", "--service", "https://127.0.0.1:9"])
            .expect(6)
            .err
            .contains("cannot be reached")
    );
}

fn another_users_credential_is_not_there(engine: Engine) {
    let room = room(engine);
    let service = room.serve("");
    let api = service.caller("api");
    let made = api
        .post("/v3/users/alice/credentials/OS-EC2", &json!({ "tenant_id": "web" }))
        .expect(201)
        .json();
    let access = made["credential"]["access"].as_str().unwrap();
    for answer in [
        api.get(&format!("/v3/users/mallory/credentials/OS-EC2/{access}")),
        api.delete(&format!("/v3/users/mallory/credentials/OS-EC2/{access}")),
        api.get("/v3/users/alice/credentials/OS-EC2/nothing"),
    ] {
        assert_eq!(answer.expect(404).json()["error"]["title"], "Not Found");
    }
    api.get(&format!("/v3/users/alice/credentials/OS-EC2/{access}")).expect(200);
    // A row that somebody altered keeps nobody from the others.
    room.tamper("UPDATE credential SET user_id = 'alice' WHERE id = 'row-000001'");
    room.tamper("UPDATE credential SET type = 'ec2' WHERE id = 'row-000001'");
    let list = api.get("/v3/users/alice/credentials/OS-EC2").expect(200).json();
    assert_eq!(
        (list["credentials"].as_array().unwrap().len(), &list["unopenable"]),
        (1, &json!(["row-000001"]))
    );
    assert_eq!(api.get("/v1/credentials/row-000001").verdict(), "500 unopenable");
}

/// Without a place in the chain nothing is shown, nothing stays stored, and the caller may come again.
fn what_cannot_be_written_down_is_not_handed_out(engine: Engine) {
    let room = room(engine);
    let service = room.serve("");
    let api = service.caller("api");
    let reveal = || api.get("/v1/credentials/row-000001?reveal=true");
    reveal().expect(200);
    let count = || room.number("SELECT count(*) FROM credential");
    let before = count();
    room.execute("UPDATE strongroom_audit_head SET id = 2");
    let secret = &numbered_rows(3)[1].secret_key;
    for answer in
        [reveal(), api.post("/v3/users/a/credentials/OS-EC2", &json!({ "tenant_id": "web" }))]
    {
        assert_eq!(answer.verdict(), "503 audit_unavailable");
        assert!(
            !answer.text.contains(secret) && answer.headers.contains_key("retry-after"),
            "{answer:?}"
        );
    }
    assert_eq!(count(), before, "a credential whose secret nobody was shown is gone again");
    api.get("/v1/credentials/row-000001").expect(200);
    room.execute("UPDATE strongroom_audit_head SET id = 1");
    reveal().expect(200);
}

#[test]
fn log_lines_can_be_json() {
    let room = room(Engine::Sqlite);
    room.serve("").stop();
    let service =
        Service::start_by(room.command(&["serve", "--format", "json", "--log", "json"]), &room);
    service.caller("api").get("/v1/credentials").expect(200);
    let log = service.stop();
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| *line != "stopped")
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let access = lines.iter().find(|line| line["target"] == "strongroom::access").unwrap();
    assert_eq!(
        (&access["component"], &access["route"], &access["status"]),
        (&json!("api"), &json!("/v1/credentials"), &json!(200))
    );
}

/// A thousand secrets are as many audit rows; more are not listed in one piece.
fn a_long_list_is_shown_whole_or_not_at_all(engine: Engine) {
    let mut rows = numbered_rows(1000);
    for row in &mut rows {
        "hoarder".clone_into(&mut row.user_id);
        "ec2".clone_into(&mut row.kind);
    }
    let room = Room::sealed(engine, &rows);
    let service = room.serve("");
    let api = service.caller("api");
    let list = api.get("/v3/users/hoarder/credentials/OS-EC2").expect(200).json();
    let shown = list["credentials"].as_array().unwrap();
    assert_eq!(
        (shown.len(), shown[7]["secret"].as_str()),
        (1000, Some(rows[7].secret_key.as_str()))
    );
    assert_eq!(room.json(&["audit", "verify"])["checked"], 1000);
    api.post("/v3/users/hoarder/credentials/OS-EC2", &json!({ "tenant_id": "web" })).expect(201);
    assert_eq!(api.get("/v3/users/hoarder/credentials/OS-EC2").verdict(), "400 too_many");
    api.get("/v1/credentials?user_id=hoarder").expect(200);
}
