//! The program `strongroom` with the ring of a host's tables.

use super::*;

on_every_engine!(
    the_program_rolls_verifies_and_retires_with_tables_it_never_heard_of,
    the_ring_of_a_sealed_table_does_not_go,
);

fn the_program_rolls_verifies_and_retires_with_tables_it_never_heard_of(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Sealed);
    let cells = |status: &serde_json::Value| -> Vec<u64> {
        status["generations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["cells"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(cells(&host.room.json(&["keys", "status"])), [540]);
    host.room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(cells(&host.room.json(&["keys", "status"])), [0, 540]);
    host.room.run(&["keys", "verify"]).expect(0);
    host.room.run(&["keys", "retire", "1", "--yes"]).expect(0);
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

fn the_ring_of_a_sealed_table_does_not_go(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.room.run(&["migrate", "up", "--yes"]).expect(0);
    host.bring(TABLE, Phase::Sealed);
    let ran = host.room.run(&["migrate", "down", "--to", "0", "--yes"]);
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("tables of other programs: api_token"), "{}", ran.err);
    assert_eq!(host.room.json(&["migrate", "status"])["pending"], 0, "nothing was begun");
    host.room.run(&["migrate", "down", "--to", "2", "--yes"]).expect(0);
    host.room.run(&["keys", "verify"]).expect(0);
    host.bring(TABLE, Phase::Plain);
    host.room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    assert_eq!(host.rows(), tokens());
}
