//! Routes that a package brings: served beside the built-in ones, bounded by what the package lists, complete in the matrix.

mod in_process;
mod keycards;

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use strongroom::audit::{Action, Barrier};
use strongroom_api::{AccessRow, ErrorShape, RouteSet, Routes};

use self::in_process::{InProcess, Log};
use self::keycards::Keycards;
use crate::support::{Engine, Room, numbered_rows, repository};

fn room() -> Room {
    Room::sealed(Engine::Sqlite, &numbered_rows(3))
}

/// The program's packages and one more.
fn with(package: Keycards) -> RouteSet {
    let mut packages = strongroom_cli::packages();
    packages.push(Box::new(package));
    RouteSet::new(packages).unwrap()
}

fn last_row(room: &Room) -> Value {
    let rows = room.json(&["audit", "list", "--limit", "1000"]);
    rows["rows"].as_array().unwrap().last().cloned().unwrap_or_default()
}

fn said(row: &Value) -> Value {
    json!([row["component"], row["action"], row["object"], row["result"], row["barrier"]])
}

#[test]
fn package_brings_route_action_and_barrier() {
    let room = room();
    let service = InProcess::start(&room, with(Keycards::default()));
    let ask = |door: &str| service.caller.post("/v1/keycards", &json!({ "door": door }));

    assert_eq!(ask("lobby").expect(200).json(), json!({ "holder": "api", "door": "lobby" }));
    let row = last_row(&room);
    assert_eq!(said(&row), json!(["api", "issue_keycard", "lobby", "done", null]));

    let refused = ask("vault").expect(403);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert_eq!(
        refused.json(),
        json!({ "type": "about:blank", "title": "Forbidden", "status": 403, "code": "closed_door",
            "detail": "nobody gets into the vault", "barrier": "doors" })
    );
    let row = last_row(&room);
    assert_eq!(said(&row), json!(["api", "issue_keycard", "vault", "refused", "doors"]));
    let wrong = service.caller.post("/v1/keycards", &json!({ "doors": "x" })).expect(400).json();
    assert!(wrong["detail"].as_str().unwrap().starts_with("`doors` is no member"), "{wrong}");

    let described = service.caller.get("/openapi.json").expect(200).json();
    let route = &described["paths"]["/v1/keycards"]["post"];
    assert_eq!(route["summary"], "Issue a keycard to the caller");
    assert!(described["components"]["schemas"]["Keycard"].is_object());
    assert!(service.caller.get("/docs").text.contains("<h2>keycards</h2>"));
    let metrics = service.caller.get("/metrics").expect(200).text;
    assert!(metrics.contains("strongroom_refusals_total{barrier=\"doors\"} 1"), "{metrics}");
    service.caller.get("/v1/credentials").expect(200);
    drop(service);
    room.run(&["audit", "verify"]).expect(0);
}

#[test]
fn word_that_no_package_lists_fails_the_request_and_is_named_in_the_log() {
    let (room, log) = (room(), Log::listen());
    for (package, word, door) in [
        (Keycards { actions: &[], ..Keycards::default() }, "issue_keycard", "lobby"),
        (Keycards { barriers: &[], ..Keycards::default() }, "doors", "vault"),
    ] {
        let service = InProcess::start(&room, with(package));
        let answer = service.caller.post("/v1/keycards", &json!({ "door": door })).expect(500);
        assert_eq!(answer.verdict(), "500 internal");
        assert!(!answer.text.contains(word), "{answer:?}");
        assert!(log.text().contains(&format!("`{word}`")), "{}", log.text());
        assert_eq!(last_row(&room), Value::Null);
    }
}

#[test]
fn package_chooses_the_shape_of_errors_on_its_paths() {
    let room = room();
    let shape = ErrorShape {
        under: &["/v1/keycards"],
        body: |problem| json!({ "code": problem.status().as_u16(), "description": problem.detail() }),
    };
    let shaped = Keycards { shape: Some(shape), ..Keycards::default() };
    let service = InProcess::start(&room, with(shaped));
    let refused = service.caller.post("/v1/keycards", &json!({ "door": "vault" })).expect(403);
    assert_eq!(refused.headers["content-type"], "application/json");
    assert_eq!(refused.json(), json!({ "code": 403, "description": "nobody gets into the vault" }));
    // Errors from before the route have the shape too.
    let unknown = service.caller.get("/v1/keycards/nothing").expect(404).json();
    assert_eq!(unknown["code"], 404);
    let method = service.caller.get("/v1/keycards").expect(405);
    assert_eq!(
        (&method.json()["code"], &method.headers["allow"]),
        (&json!(405), &"POST".parse().unwrap())
    );
    let long = json!({ "door": "x".repeat(200_000) });
    let too_long = service.caller.post("/v1/keycards", &long).expect(413).json();
    assert_eq!(too_long["code"], 413);
    // Other paths keep theirs.
    assert_eq!(service.caller.get("/v1/nothing").expect(404).json()["code"], "no_route");
    assert!(service.caller.get("/v3/nothing").expect(404).json()["error"].is_object());
}

#[test]
fn two_packages_with_the_same_route_or_word_are_refused() {
    let told = |one: Keycards, other: Keycards| {
        let both: Vec<Box<dyn Routes>> = vec![Box::new(one), Box::new(other)];
        RouteSet::new(both).err().unwrap().to_string()
    };
    let wordless = || Keycards { actions: &[], barriers: &[], shape: None };
    let twice = "the packages `keycards` and `keycards` both claim the";
    assert_eq!(
        told(Keycards::default(), Keycards::default()),
        format!("{twice} audit action `issue_keycard`")
    );
    assert_eq!(
        told(Keycards::default(), Keycards { actions: &[], ..Keycards::default() }),
        format!("{twice} barrier `doors`")
    );
    assert_eq!(told(Keycards::default(), wordless()), format!("{twice} route `POST /v1/keycards`"));
    let claimed = |package: Keycards| {
        let mut packages = strongroom_cli::packages();
        packages.push(Box::new(package));
        RouteSet::new(packages).err().unwrap().to_string()
    };
    assert_eq!(
        claimed(Keycards { actions: &[Action::REVEAL], ..wordless() }),
        "the packages `credentials` and `keycards` both claim the audit action `reveal`"
    );
    assert_eq!(
        claimed(Keycards { barriers: &[Barrier::KEYS], ..wordless() }),
        "the packages `service` and `keycards` both claim the barrier `keys`"
    );
}

/// A route without a row would be one that nobody tried as each component.
#[test]
fn every_route_has_a_row_and_a_line_in_the_access_matrix() {
    let room = room();
    let service = room.serve("");
    let described = service.caller("api").get("/openapi.json").expect(200).json();
    let routes: BTreeSet<_> = described["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, _)| !["/healthz", "/readyz", "/metrics"].contains(&path.as_str()))
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let packages = strongroom_cli::packages();
    let row = |row: &AccessRow| format!("{} {}", row.method, row.path);
    let rows: BTreeSet<_> = packages.iter().flat_map(|package| package.access()).map(row).collect();
    assert_eq!(routes, rows, "the routes and the rows of `Routes::access`");
    let matrix = repository().join("tests/it/snapshots/it__service_access__access.snap");
    let matrix = fs::read_to_string(matrix).unwrap();
    let lines: BTreeSet<_> = matrix.lines().collect();
    let missing: Vec<_> = routes.iter().filter(|route| !lines.contains(route.as_str())).collect();
    assert!(missing.is_empty(), "no line in the matrix: {missing:#?}");
}
