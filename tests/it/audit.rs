//! The chain of audit rows: whoever holds no root key leaves a mark.

use serde_json::{Value, json};

use crate::support::{Engine, Room, Service, numbered_rows, on_every_engine};

on_every_engine!(
    every_change_is_found,
    rows_are_listed,
    a_change_has_its_row_whatever_becomes_of_the_caller
);

/// Ten reveals, and what an administrator of the database could do about them.
fn every_change_is_found(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let service = room.serve("");
    let api = service.caller("api");
    for _ in 0..10 {
        api.get("/v1/credentials/row-000001?reveal=true").expect(200);
    }
    let verify = |arguments: &[&str], code| {
        room.run(&[&["audit", "verify", "--format", "json"], arguments].concat())
            .expect(code)
            .json()
    };
    let whole = verify(&[], 0);
    let kept = whole["last"].as_str().unwrap().to_owned();
    assert_eq!((&whole["checked"], &whole["problems"]), (&json!(10), &json!([])));
    assert_eq!(verify(&["--expect", &kept], 0)["checked"], 10);

    let problems = |found: &Value| {
        let of = |problem: &Value| {
            format!("{} {}", problem["number"], problem["reason"].as_str().unwrap())
        };
        found["problems"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let tried = |change: &str, back: &str, expected: &[&str]| {
        room.execute(change);
        assert_eq!(problems(&verify(&[], 3)), expected, "{change}");
        room.execute(back);
        verify(&[], 0);
    };
    let alter = |column: &str, to: &str| {
        format!("UPDATE strongroom_audit SET {column} = {to} WHERE number = 4")
    };
    for (column, to, back) in [
        ("component", "'compute'", "'api'"),
        ("object", "'row-000002'", "'row-000001'"),
        ("result", "'refused'", "'done'"),
        ("barrier", "'database'", "''"),
        ("action", "'read'", "'reveal'"),
        ("at_ms", "at_ms + 1", "at_ms - 1"),
    ] {
        tried(&alter(column, to), &alter(column, back), &["4 altered"]);
    }
    // Two rows change places.
    let swap = "UPDATE strongroom_audit SET number = CASE number WHEN 4 THEN 104 ELSE 105 END WHERE number IN (4, 5)";
    room.execute(swap);
    room.execute("UPDATE strongroom_audit SET number = 5 WHERE number = 104");
    room.execute("UPDATE strongroom_audit SET number = 4 WHERE number = 105");
    assert_eq!(problems(&verify(&[], 3)), ["4 altered", "5 altered", "6 altered"]);
    room.execute(swap);
    room.execute("UPDATE strongroom_audit SET number = 5 WHERE number = 104");
    room.execute("UPDATE strongroom_audit SET number = 4 WHERE number = 105");
    verify(&[], 0);

    // Rows of somebody's own, where the chain does not lead.
    let columns = "replica, request, component, identity, action, object, result, barrier, mac";
    for (number, flaw) in [(-5, "-5 altered"), (11, "11 end"), (999_999, "999999 end")] {
        let forged = format!(
            "INSERT INTO strongroom_audit (number, at_ms, {columns}) SELECT {number}, at_ms, {columns} FROM strongroom_audit WHERE number = 4"
        );
        tried(&forged, &format!("DELETE FROM strongroom_audit WHERE number = {number}"), &[flaw]);
    }

    room.execute("DELETE FROM strongroom_audit WHERE number = 10");
    assert_eq!(
        problems(&verify(&[], 3)),
        ["10 end"],
        "the last row is gone, and the end row says so"
    );
    // Whoever puts the end row back too is found by who kept the last code.
    let nine = if engine == Engine::Postgres || engine == Engine::Sqlite {
        "UPDATE strongroom_audit_head SET number = 9, mac = (SELECT mac FROM strongroom_audit WHERE number = 9)"
    } else {
        "UPDATE strongroom_audit_head h JOIN strongroom_audit a ON a.number = 9 SET h.number = 9, h.mac = a.mac"
    };
    room.execute(nine);
    verify(&[], 0);
    assert_eq!(problems(&verify(&["--expect", &kept], 3)), ["10 missing"]);
    // The chain goes on from there, and is another one.
    api.get("/v1/credentials/row-000001?reveal=true").expect(200);
    verify(&[], 0);
    assert_eq!(problems(&verify(&["--expect", &kept], 3)), ["10 altered"]);
    room.execute("DELETE FROM strongroom_audit WHERE number = 3");
    assert_eq!(problems(&verify(&[], 3)), ["3 missing"]);
}

fn rows_are_listed(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    assert!(room.run(&["audit", "list"]).expect(0).out.contains("no audit rows"));
    let service = room.serve("");
    let asked = |component: &str, path: &str| service.caller(component).get(path).status;
    assert_eq!(asked("api", "/v1/credentials/row-000001?reveal=true"), 200);
    assert_eq!(asked("compute", "/v1/credentials/row-000001?reveal=true"), 403);
    assert_eq!(asked("scheduler", "/v1/credentials/row-000001"), 403);
    let rows = room.json(&["audit", "list"])["rows"].clone();
    let shown: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            ["component", "action", "object", "result", "barrier"]
                .map(|name| row[name].as_str().unwrap_or("-").to_owned())
                .join(" ")
        })
        .collect();
    assert_eq!(
        shown,
        [
            "api reveal row-000001 done -",
            "compute reveal row-000001 refused database",
            "scheduler read row-000001 refused database"
        ]
    );
    assert_eq!(rows[0]["identity"], "spiffe://strongroom.local/component/api");
    let page = room.json(&["audit", "list", "--limit", "2"]);
    assert_eq!((page["rows"].as_array().unwrap().len(), page["next"].as_i64()), (2, Some(2)));
    assert_eq!(room.json(&["audit", "list", "--refused"])["rows"].as_array().unwrap().len(), 2);
    // A database without the table says what to do.
    let early = Room::with_plaintext(engine, &numbered_rows(1));
    assert!(early.run(&["audit", "verify"]).expect(3).err.contains("strongroom migrate up"));
}

/// Somebody who hangs up in the midst ends the answer, and neither the change nor its row.
fn a_change_has_its_row_whatever_becomes_of_the_caller(engine: Engine) {
    use std::io::Write as _;

    let room = Room::sealed(engine, &numbered_rows(120));
    room.serve("").stop();
    let service =
        Service::start_with(&room, &[("TLS", "false"), ("IDENTITY__PLAIN_COMPONENT", "api")]);
    let address = service.url.trim_start_matches("http://").to_owned();
    let hang_up = |request: &str, n: u64| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        // Longer and longer, because a busy machine takes its time to read a request.
        std::thread::sleep(std::time::Duration::from_micros((400 << (n / 30)) * (n % 15)));
    };
    for n in 0..120 {
        hang_up(&format!("DELETE /v1/credentials/row-{n:06} HTTP/1.1\r\nHost: x\r\n\r\n"), n);
        let body = r#"{"tenant_id":"web"}"#;
        let head = "POST /v3/users/hasty/credentials/OS-EC2 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n";
        hang_up(&format!("{head}{body}"), n);
    }
    // It ends only when what was begun is done.
    service.stop();
    let rows = |action: &str| {
        room.number(&format!(
            "SELECT count(*) FROM strongroom_audit WHERE action = '{action}' AND result = 'done'"
        ))
    };
    let gone = 120 - room.number("SELECT count(*) FROM credential WHERE user_id <> 'hasty'");
    let made = room.number("SELECT count(*) FROM credential WHERE user_id = 'hasty'");
    println!("{engine}: {gone} gone, {made} made");
    assert!(gone > 10 && made > 10, "{gone} gone, {made} made");
    assert_eq!((rows("delete"), rows("create")), (gone, made));
    room.run(&["audit", "verify"]).expect(0);
}
