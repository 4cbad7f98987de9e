//! A server that keeps its connections open and answers nothing.

use std::time::Duration;

use super::super::failover::served;

/// Nothing ends the connection, and nothing answers: a server that hangs, or a network that drops every packet.
#[test]
#[ignore = "takes minutes: tests/long unmet"]
fn a_run_whose_server_falls_silent_ends() {
    let (pair, service) = served();
    service.stop();
    let rotate = ["keys", "rotate", "--batch-size", "20", "--batch-delay", "100"];
    let running = pair.room.start(&rotate);
    std::thread::sleep(Duration::from_millis(700));
    pair.cluster.server("freeze", 1);
    let ran = running.finish_within(Duration::from_secs(40), || true, String::new);
    pair.cluster.server("thaw", 1);
    ran.unwrap().expect(6);
    pair.room.run(&rotate).expect(0);
    pair.room.run(&["keys", "verify"]).expect(0);
}
