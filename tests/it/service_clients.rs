//! Real clients, unmodified: keystoneclient, botocore, and Schemathesis with the service's own description.

use std::process::Command;

use crate::support::{Engine, Ran, Room, Service, numbered_rows, on_every_engine, ran};

on_every_engine!(keystone_s_client_manages_credentials, botocore_s_signatures_verify_once);

/// A script of `tests/clients`, by its interpreter; what is missing, `make clients` installs.
fn client(script: &str, services: &[&Service]) -> Ran {
    let root = env!("CARGO_MANIFEST_DIR");
    let file = format!("{root}/tests/clients/{script}");
    let mut command = if script.ends_with(".sh") {
        let mut command = Command::new(&file);
        command.env("BIN", format!("{root}/target/clients/bin"));
        command
    } else {
        let mut command = Command::new(format!("{root}/target/clients/bin/python"));
        command.arg(&file);
        command
    };
    command.arg(services[0].url.replace("127.0.0.1", "localhost")).arg(&services[0].certificates);
    command.args(services.iter().skip(1).map(|service| service.url.replace("127.0.0.1", "localhost")));
    ran(command.current_dir(root))
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

#[test]
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
