//! A failover that lost commits, beside a service that keeps its keys in memory.

use std::time::{Duration, Instant};

use super::pair::{Pair, assert_all_open, create, create_until, restarted};
use crate::support::{Service, numbered_rows, ran, until};

/// A pair whose database is sealed, and a service that stored something.
pub(super) fn served() -> (Pair, Service) {
    let pair = Pair::start();
    pair.room.insert_plaintext(&numbered_rows(200));
    pair.room.run(&["migrate", "up", "--yes"]).expect(0);
    let service = pair.room.serve("");
    create_until(&service.caller("api"), "before", 1);
    // All of this is to be on the standby.
    std::thread::sleep(Duration::from_millis(500));
    (pair, service)
}

/// The key of a project is lost with its commit; the manifest is as it was.
#[test]
#[ignore = "takes minutes: make test-cluster"]
fn a_service_seals_under_no_key_that_was_lost() {
    let (mut pair, service) = served();
    let api = service.caller("api");
    pair.lag();
    create_until(&api, "lost", 3);
    pair.fail_over();
    let mut made = create_until(&api, "lost", 3);
    made.extend(create_until(&api, "before", 3));
    made.extend(create_until(&api, "after", 3));
    until("it is ready", || api.get("/readyz").status == 200);
    let service = restarted(service, &pair.room);
    assert_all_open(&service, &made);
    pair.room.run(&["keys", "verify"]).expect(0);
    pair.room.run(&["keys", "status", "--check"]).expect(0);
    service.stop();
}

/// A roll is lost: the manifest is older than the one that the service saw.
#[test]
#[ignore = "takes minutes: make test-cluster"]
fn a_service_refuses_after_a_lost_roll_until_the_operator_accepts() {
    let (mut pair, service) = served();
    let api = service.caller("api");
    pair.lag();
    pair.room.run(&["keys", "rotate"]).expect(0);
    std::thread::sleep(Duration::from_secs(1));
    create_until(&api, "before", 1);
    pair.fail_over();
    until("the service says so", || {
        create(&api, "before").is_err_and(|said| said == "503 ring_went_back")
    });
    until("it is not ready", || api.get("/readyz").status == 503);
    assert!(api.get("/readyz").text.contains("ring_went_back"), "{:?}", api.get("/readyz"));
    assert_eq!(
        create(&api, "another").unwrap_err(),
        "503 ring_went_back",
        "nothing else is stored either"
    );
    assert_eq!(pair.accept(), "manifest_older");
    let mut made = create_until(&api, "before", 3);
    made.extend(create_until(&api, "after", 3));
    until("it is ready again, without a restart", || api.get("/readyz").status == 200);
    pair.room.run(&["keys", "rotate"]).expect(0);
    made.extend(create_until(&api, "before", 3));
    let service = restarted(service, &pair.room);
    assert_all_open(&service, &made);
    pair.room.run(&["keys", "verify"]).expect(0);
    service.stop();
}

/// The roll that was lost is made anew from another host: the epochs are as high as before, and mean other keys.
#[test]
#[ignore = "takes minutes: make test-cluster"]
fn a_new_roll_is_not_taken_for_the_one_that_was_lost() {
    let (mut pair, service) = served();
    let api = service.caller("api");
    pair.lag();
    pair.room.run(&["keys", "rotate"]).expect(0);
    std::thread::sleep(Duration::from_secs(1));
    create_until(&api, "before", 1);
    pair.fail_over();
    // The service notices nothing while nobody asks it.
    let mut made = Vec::new();
    for _ in 0..2 {
        // First the epoch is the same as that of the lost manifest, then it is higher.
        pair.run_elsewhere(&["keys", "rotate"]).expect(0);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            made.extend(create(&api, "before"));
        }
    }
    if !made.is_empty() {
        assert_all_open(&restarted(service, &pair.room), &made);
        panic!("{} acknowledged under a lineage that this host never accepted", made.len());
    }
    assert_eq!(create(&api, "before").unwrap_err(), "503 ring_went_back");
    assert_eq!(pair.accept(), "ring_went_back");
    let made = create_until(&api, "before", 3);
    let service = restarted(service, &pair.room);
    assert_all_open(&service, &made);
    pair.room.run(&["keys", "verify"]).expect(0);
    service.stop();
}

/// Without a proxy: the address names both servers, and programs find the one that writes.
#[test]
#[ignore = "takes minutes: make test-cluster"]
fn an_address_with_both_servers_finds_the_primary() {
    let (mut pair, service) = served();
    service.stop();
    let proxy = format!("127.0.0.1:{}", pair.relay.port());
    let both = format!("127.0.0.1:{},127.0.0.1:{}", pair.cluster.port(2), pair.cluster.port(1));
    let mut command = pair.room.command(&["serve", "--format", "json"]);
    command.env("RUST_LOG", "debug");
    let address = pair.room.service_address().replace(&proxy, &both);
    let service = Service::start_at(command, &pair.room, &address);
    let api = service.caller("api");
    let list = |pair: &Pair| {
        let address = pair.room.url().replace(&proxy, &both);
        let mut command = pair.room.command(&["credential", "create", "--user-id", "u"]);
        ran(command
            .env("STRONGROOM__DATABASE__URL", format!("{address}?target_session_attrs=read-write")))
    };
    list(&pair).expect(0);
    let mut made = create_until(&api, "before", 3);
    std::thread::sleep(Duration::from_millis(500));
    pair.fail_over();
    list(&pair).expect(0);
    made.extend(create_until(&api, "before", 3));
    pair.follow();
    assert_all_open(&restarted(service, &pair.room), &made);
}
