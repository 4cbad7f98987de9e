//! Real clients, unmodified: keystoneclient, botocore, and Schemathesis with the service's own description.

use std::process::Command;

use crate::support::{Engine, Ran, Room, Service, numbered_rows, on_every_engine, ran, repository};

on_every_engine!(keystone_s_client_manages_credentials, botocore_s_signatures_verify_once);

/// A script of `tests/clients`, by its interpreter; what is missing, `make clients` installs.
fn client(script: &str, services: &[&Service]) -> Ran {
    let root = repository();
    let root = root.display();
    let file = format!("{root}/tests/clients/{script}");
    let mut command = if script == "schemathesis.sh" {
        let mut command = Command::new(&file);
        command.env("BIN", format!("{root}/target/clients/bin"));
        command
    } else {
        let mut command = Command::new(format!("{root}/target/clients/bin/python"));
        command.arg(&file);
        command
    };
    command.arg(services[0].url.replace("127.0.0.1", "localhost")).arg(&services[0].certificates);
    command
        .args(services.iter().skip(1).map(|service| service.url.replace("127.0.0.1", "localhost")));
    ran(command.current_dir(repository()))
}

fn keystone_s_client_manages_credentials(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let service = room.serve("");
    let ran = client("keystone_client.py", &[&service]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// What one replica has verified, another one refuses, and so does one that starts later.
fn botocore_s_signatures_verify_once(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(2));
    let (one, other) = (room.serve(""), room.serve(""));
    let ran = client("botocore_signatures.py", &[&one, &other]);
    assert_eq!(ran.code, 0, "{ran:?}");
    println!("{engine}: {}", ran.out.trim());
    for service in [&one, &other] {
        assert!(!service.log().contains("ERROR"), "{}", service.log());
    }
}

mod long {
    #[test]
    #[ignore = "takes minutes: make test-long"]
    fn schemathesis_finds_nothing() {
        super::schemathesis_finds_nothing();
    }
}

fn schemathesis_finds_nothing() {
    let room = Room::sealed(Engine::Postgres, &numbered_rows(20));
    let service = room.serve("");
    let ran = client("schemathesis.sh", &[&service]);
    println!("{}", ran.out.trim());
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err.chars().take(6000).collect::<String>());
}

#[test]
fn what_no_client_would_send_is_refused() {
    let room = Room::sealed(Engine::Sqlite, &numbered_rows(2));
    let service = room.serve("");
    let ran = client("strictness.py", &[&service]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// Bytes that are nearly requests: the service answers what it can, is there afterwards, and never fails.
#[test]
fn no_bytes_bring_it_down() {
    use std::io::{Read as _, Write as _};

    let room = Room::sealed(Engine::Sqlite, &numbered_rows(2));
    room.serve("").stop();
    let service =
        Service::start_with(&room, &[("TLS", "false"), ("IDENTITY__PLAIN_COMPONENT", "api")]);
    let address = service.url.trim_start_matches("http://").to_owned();
    let seeds: [&[u8]; 6] = [
        b"GET /v1/credentials?limit=3&after=a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST /v1/credentials HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"user_id\":\"u\"}",
        b"POST /v1/credentials/find HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\nConnection: close\r\n\r\nc\r\n{\"access\":1}\r\n0\r\n\r\n",
        b"GET /v3/users/%00%ff/credentials/OS-EC2/%2e%2e HTTP/1.1\r\nHost: a\r\nX-Request-Id: x\r\nConnection: close\r\n\r\n",
        b"POST /v1/ec2-signatures/verify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 40\r\nConnection: close\r\n\r\n{\"credentials\":{\"access\":\"a\",\"host\":\"h\"}}",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ];
    // Numerical Recipes' generator: the same bytes every time.
    let mut state = 2_463_534_242_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let mut statuses = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..1200 {
        let mut bytes = seeds[next(seeds.len())].to_vec();
        for _ in 0..next(4) {
            let at = next(bytes.len().max(1));
            match next(4) {
                0 if at < bytes.len() => bytes[at] = u8::try_from(next(256)).unwrap(),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, u8::try_from(next(256)).unwrap()),
                _ => bytes.truncate(at),
            }
        }
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        // What waits for more gets none.
        stream.set_read_timeout(Some(std::time::Duration::from_millis(100))).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let status = answer
            .get(9..12)
            .map_or("nothing".to_owned(), |status| String::from_utf8_lossy(status).into_owned());
        *statuses.entry(status).or_default() += 1;
    }
    println!("{statuses:?}");
    assert!(statuses.keys().all(|status| !status.starts_with('5')), "{statuses:?}");
    assert!(
        ["200", "201", "400", "404"].iter().all(|status| statuses.contains_key(*status)),
        "{statuses:?}"
    );
    assert!(
        !service.log().contains("panicked") && !service.log().contains("ERROR"),
        "{}",
        service.log()
    );
    assert_eq!(crate::support::Caller::new(&service.url, None, None).get("/readyz").status, 200);
}
