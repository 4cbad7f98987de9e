//! Signatures on a running service: reported requests (`tests/data/service/signatures.json`), and how often one counts.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Caller, Engine, Room, numbered_rows, on_every_engine, repository, until};

on_every_engine!(a_signature_counts_until_it_expires_where_the_policy_says_so);

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn make(api: &Caller) -> (String, String) {
    let made = api
        .post("/v1/credentials", &json!({ "user_id": "alice", "project_id": "web" }))
        .expect(201)
        .json();
    (made["access"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

#[test]
fn reported_requests_are_answered_as_they_should_be() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(1));
    let service = room.serve("");
    let api = service.caller("api");
    let owner = make(&api);
    let file = repository().join("tests/data/service/signatures.json");
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut wrong = String::new();
    for (number, case) in cases.iter().enumerate() {
        // Each is another request: a signature counts once.
        let answer = api.post(
            "/v1/ec2-signatures/verify",
            &json!({ "credentials": signed(case, &owner, number) }),
        );
        if json!(answer.status) != case["right"] {
            writeln!(wrong, "{}: {}", case["name"], answer.verdict()).unwrap();
        }
    }
    assert_eq!((cases.len(), wrong.as_str()), (11, ""));
}

/// The request of a case, signed now; each with a session name of its own.
fn signed(case: &Value, (access, secret): &(String, String), number: usize) -> Value {
    let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
    let date = chrono::Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/{}/{}/aws4_request", &date[..8], text("region"), text("service"));
    let names = case["signed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect::<Vec<_>>()
        .join(";");
    let mut headers = case["headers"].clone();
    headers["host"] = text("host").into();
    let mut params = vec![("session".to_owned(), number.to_string())];
    for pair in case["params"].as_array().into_iter().flatten() {
        params.push((pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned()));
    }
    let presigned = case["presigned"] == true;
    if presigned {
        let own = |(name, value): (&str, String)| (name.to_owned(), value);
        params.extend(
            [
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
                ("X-Amz-Credential", format!("{access}/{scope}")),
            ]
            .map(own),
        );
        params.extend(
            [
                ("X-Amz-Date", date.clone()),
                ("X-Amz-Expires", "600".into()),
                ("X-Amz-SignedHeaders", names.clone()),
            ]
            .map(own),
        );
    } else {
        headers["x-amz-date"] = date.clone().into();
    }
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut query: Vec<_> =
        params.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    query.sort();
    let line = |name: &str| format!("{name}:{}\n", headers[name].as_str().unwrap());
    let lines = names.split(';').map(line).collect::<Vec<_>>().concat();
    let canonical = [
        text("verb"),
        text("path"),
        query.join("&"),
        lines,
        names.clone(),
        text("body_hash_signed"),
    ]
    .join("\n");
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
    let key =
        scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| mac(&key, part));
    let signature = hex::encode(mac(&key, &to_sign));
    let mut given: serde_json::Map<_, _> =
        params.into_iter().map(|(name, value)| (name, value.into())).collect();
    if presigned {
        given.insert("X-Amz-Signature".to_owned(), signature.clone().into());
    } else {
        headers["Authorization"] =
            format!("AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}").into();
    }
    given.extend(
        case["params_given"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    for (name, value) in case["headers_added"].as_object().into_iter().flatten() {
        headers[name] = value.clone();
    }
    let verb = case["verb_given"].as_str().map_or_else(|| text("verb"), str::to_owned);
    json!({
        "access": access, "signature": signature, "host": text("host"), "verb": verb, "path": text("path_given"),
        "params": given, "headers": headers, "body_hash": text("body_hash_given"),
    })
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// One component's callers may verify a signature again and again, another's once; the command line says so.
fn a_signature_counts_until_it_expires_where_the_policy_says_so(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(1));
    let service = room.serve("");
    let (api, metadata) = (service.caller("api"), service.caller("metadata"));
    let owner = make(&api);
    let case = |number: usize| {
        let case = json!({
            "service": "s3", "region": "r", "verb": "GET", "host": "h", "headers": {}, "signed": ["host"], "presigned": true,
            "path": "/b/k", "path_given": "/b/k", "body_hash_signed": "UNSIGNED-PAYLOAD", "body_hash_given": "UNSIGNED-PAYLOAD",
        });
        json!({ "credentials": signed(&case, &owner, number) })
    };
    let verify =
        |caller: &Caller, body: &Value| caller.post("/v1/ec2-signatures/verify", body).verdict();
    let first = case(1);
    assert_eq!([verify(&metadata, &first), verify(&metadata, &first)], ["200", "401 replayed"]);
    std::fs::write(
        room.path().join("own.toml"),
        "[component.metadata]\nsignature_replay = \"until_expiry\"\n",
    )
    .unwrap();
    room.run(&["policy", "apply", "--policy", "own.toml", "--yes"]).expect(0);
    until("the policy is in force in the service", || verify(&metadata, &first) == "200");
    let second = case(2);
    let thrice =
        [verify(&metadata, &second), verify(&metadata, &second), verify(&metadata, &second)];
    assert_eq!(thrice, ["200"; 3]);
    assert_eq!(
        verify(&api, &second),
        "401 replayed",
        "for another component's callers it counts once, and it was seen"
    );
    let altered = {
        let mut second = second.clone();
        second["credentials"]["path"] = "/b/l".into();
        second
    };
    assert_eq!(verify(&metadata, &altered), "401 mismatch");
    let shown = room.run(&["policy", "show"]).expect(0).out;
    let line = "metadata verifies a request signature as often as it comes, until it expires";
    assert!(shown.lines().any(|shown| shown == line), "{shown}");
    let explained = room.run(&["policy", "explain", "metadata", "credential.id"]).expect(0).out;
    assert!(explained.lines().any(|explained| explained == line), "{explained}");
    let of = |component: &str| {
        room.json(&["policy", "explain", component, "credential.id"])["signature_replay"].clone()
    };
    assert_eq!([of("metadata"), of("api")], [json!("until_expiry"), json!("refuse")]);
    assert_eq!(
        room.json(&["policy", "show"])["components"]["metadata"]["signature_replay"],
        "until_expiry"
    );
}
