//! The start of the service.

use super::*;

/// Binds a socket as systemd does, and becomes the service.
const SYSTEMD: &str = "import os,socket,sys; s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(); f=s.fileno()\n\
    if f!=3: os.dup2(f,3)\n\
    os.set_inheritable(3,True); os.environ.update(LISTEN_FDS='1',LISTEN_PID=str(os.getpid())); os.execv(sys.argv[1],sys.argv[1:])";

#[test]
fn a_socket_that_systemd_opened_is_answered_on() {
    let room = room();
    room.serve("").stop();
    let of_room = room.command(&["serve", "--format", "json"]);
    let mut command = Command::new("python3");
    command.args(["-c", SYSTEMD]).arg(of_room.get_program()).args(of_room.get_args());
    command.current_dir(of_room.get_current_dir().unwrap());
    for (name, value) in of_room.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // The socket's address counts, and this one could not be listened on.
    command.env("STRONGROOM__SERVER__LISTEN", "192.0.2.1:1");
    let service = Service::start_by(command, &room);
    assert!(service.url.starts_with("https://127.0.0.1:"), "{}", service.url);
    service.caller("api").get("/v1/credentials").expect(200);
}

#[test]
fn everything_that_is_missing_at_the_start_is_named_at_once() {
    let room = room();
    room.serve("").stop();
    for file in ["certs/server.pem", "certs/server.key", "certs/ca.pem"] {
        std::fs::remove_file(room.path().join(file)).unwrap();
    }
    std::fs::remove_file(room.key_file()).unwrap();
    let mut command = room.command(&["serve"]);
    command.env("STRONGROOM__DATABASE__URL", "sqlite://elsewhere.db?mode=rw");
    let text = std::fs::read_to_string(room.path().join("strongroom.toml")).unwrap();
    std::fs::write(
        room.path().join("strongroom.toml"),
        text.replace("trust_domain", "# trust_domain"),
    )
    .unwrap();
    let ran = crate::support::ran(&mut command);
    assert_ne!(ran.code, 0);
    for wanted in [
        "6 things keep the service from starting",
        "server.identity",
        "`server.certificate`",
        "`server.private_key_file`",
        "`server.client_ca`",
        "key file",
        "database",
    ] {
        assert!(ran.err.contains(wanted), "{wanted}: {}", ran.err);
    }
    assert_eq!(ran.err.matches("dev-certs").count(), 1, "one hint once: {}", ran.err);
}
