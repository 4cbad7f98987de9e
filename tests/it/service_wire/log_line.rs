//! Log lines and request ids of the service.

use super::*;

#[test]
fn a_strangers_lines_are_bounded_and_a_components_are_not() {
    let room = room();
    let service = room.serve("");
    let nobody = service.caller_with(None);
    for _ in 0..60 {
        assert_eq!(nobody.get("/healthz").status, 200);
    }
    let api = service.caller("api");
    for _ in 0..30 {
        api.get("/v1/credentials").expect(200);
    }
    let log = service.log();
    let lines = |what: &str| {
        log.lines()
            .filter(|line| line.contains("strongroom::access") && line.contains(what))
            .count()
    };
    // A slow machine may see the beginning of another period.
    assert!((1..=20).contains(&lines("/healthz")), "{}", lines("/healthz"));
    assert_eq!(lines("component=\"api\""), 30);
    let line = log
        .lines()
        .find(|line| line.contains("/healthz") && line.contains("strongroom::access"))
        .unwrap();
    assert!(line.contains("from=127.0.0.1:"), "{line}");
}

#[test]
fn an_unknown_path_is_named_to_the_caller_and_in_the_log() {
    let room = room();
    let service = room.serve("");
    let api = service.caller("api");
    let secret = "0123456789abcdef0123456789abcdef";
    for (path, shown) in [
        ("/v1/credential".to_owned(), "/v1/credential".to_owned()),
        ("/v3/auth/tokens".to_owned(), "/v3/auth/tokens".to_owned()),
        ("/%1b%5b31m".to_owned(), "/%1b%5b31m".to_owned()),
        (format!("/v9/{secret}/x"), "/v9/…/x".to_owned()),
        (format!("/{}", "y".repeat(3000)), "/…".to_owned()),
    ] {
        let answer = api.get(&path).expect(404);
        assert!(answer.text.contains(&format!("`{shown}`")), "{path}: {answer:?}");
        assert!(!answer.text.contains(secret));
        let line = format!("path=\"{shown}\"");
        until("the log has it", || service.log().contains(&line));
    }
    let log = service.log();
    let access: Vec<_> = log.lines().filter(|line| line.contains("strongroom::access")).collect();
    assert!(access.iter().all(|line| !line.contains(secret)), "{access:?}");
    assert!(
        access
            .iter()
            .any(|line| line.contains("code=\"no_route\"") && line.contains("component=\"api\"")),
        "{access:?}"
    );
}

/// The answer, the log and the audit row have the service's id and the caller's.
#[test]
fn two_components_cannot_carry_one_request_id() {
    let room = room();
    let service = room.serve("");
    let theirs = "req-3c1d6f0e-6b1f-4a53-9a53-0d2a1c3b4e5f";
    let ask = |component: &str, id: &str| {
        let bytes = format!(
            "GET /v1/credentials/row-000001?reveal=true HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n\r\n"
        );
        let mut stream = connect(&service, Some(component));
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut head = String::new();
        let mut byte = [0];
        while !head.ends_with("\r\n\r\n") {
            assert_eq!(stream.read(&mut byte).unwrap(), 1);
            head.push(byte[0] as char);
        }
        head.split("x-request-id: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
    };
    let (first, second) = (ask("api", theirs), ask("metadata", theirs));
    assert_ne!(first, second);
    for id in [&first, &second] {
        let (ours, after) = id.split_once('/').unwrap();
        assert_eq!((ours.len(), after), (22, theirs));
        until("the log has both", || {
            service.log().contains(&format!("request=\"{ours}\" caller_request=\"{theirs}\""))
        });
    }
    let rows = room.json(&["audit", "list", "--action", "reveal"]);
    let of = |component: &str| {
        let rows =
            rows["rows"].as_array().unwrap().iter().filter(|row| row["component"] == component);
        rows.map(|row| row["request"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((of("api"), of("metadata")), (vec![first.clone()], vec![second]));
    assert_eq!(ask("api", &first).len(), 22, "ours, given back as theirs, is not repeated");
    room.run(&["audit", "verify"]).expect(0);
}
