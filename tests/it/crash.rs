//! kill -9 at any point: the same command again finishes, and nothing was lost or done twice.

use serde_json::Value;

use crate::support::{Engine, Room, long_on_every_engine, numbered_rows, on_every_engine, until};

on_every_engine!(
    killed_while_sealing_while_rolling_and_while_going_down,
    interrupted_with_ctrl_c,
    two_runs_at_once,
    cut_short_by_max_rows,
    a_run_that_lost_its_lock_in_the_midst_of_a_page_commits_nothing,
);

long_on_every_engine!(killed_again_and_again_at_random_moments);

/// A killed run leaves some of them behind, whatever the machine is busy with.
const ROWS: usize = 4_000;
const HALF_WAY: i64 = 400;

/// Counts writes to cells: a trigger writes a line a row whose cell changed.
fn count_writes(room: &Room) {
    room.execute("CREATE TABLE IF NOT EXISTS write_count (id varchar(64))");
    room.execute("DELETE FROM write_count");
    match room.engine {
        Engine::Sqlite => room.execute(
            "CREATE TRIGGER strongroom_test_writes AFTER UPDATE OF secret_key_sealed ON credential BEGIN INSERT INTO write_count VALUES (new.id); END",
        ),
        Engine::MySql | Engine::MariaDb => room.execute(
            "CREATE TRIGGER strongroom_test_writes AFTER UPDATE ON credential FOR EACH ROW \
             BEGIN IF NOT (new.secret_key_sealed <=> old.secret_key_sealed) THEN INSERT INTO write_count VALUES (new.id); END IF; END",
        ),
        Engine::Postgres => {
            room.execute("CREATE OR REPLACE FUNCTION count_writes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO write_count VALUES (new.id); RETURN NULL; END'");
            room.execute("CREATE TRIGGER strongroom_test_writes AFTER UPDATE OF secret_key_sealed ON credential FOR EACH ROW EXECUTE FUNCTION count_writes()");
        }
    }
}

fn stop_counting(room: &Room) {
    let on = if room.engine == Engine::Postgres { " ON credential" } else { "" };
    room.execute(&format!("DROP TRIGGER strongroom_test_writes{on}"));
}

fn moved(room: &Room) -> i64 {
    room.number("SELECT coalesce(max(moved), 0) FROM strongroom_reseal WHERE finished = FALSE")
}

fn killed_while_sealing_while_rolling_and_while_going_down(engine: Engine) {
    let rows = numbered_rows(ROWS);
    let room = Room::with_plaintext(engine, &rows);

    room.run(&["migrate", "up", "--to", "3"]).expect(0);
    count_writes(&room);
    kill_half_way(&room, &["migrate", "up", "--to", "4"]);
    room.run(&["migrate", "up", "--to", "4"]).expect(0);
    assert_eq!(room.number("SELECT count(*) FROM write_count"), ROWS as i64, "one write a row");
    stop_counting(&room);
    room.run(&["migrate", "up", "--yes"]).expect(0);

    count_writes(&room);
    kill_half_way(&room, &["keys", "rotate"]);
    let unfinished = room.json(&["keys", "status"]);
    assert_eq!(unfinished["rolling"], "forward");
    assert!(
        unfinished["generations"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["cells"].as_u64() > Some(0)),
        "{unfinished}"
    );
    room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(room.number("SELECT count(*) FROM write_count"), ROWS as i64, "one write a row");
    stop_counting(&room);
    assert_eq!(
        cells(&room.json(&["keys", "status"])),
        [0, 2 * ROWS as u64],
        "no generation was doubled"
    );

    kill_half_way(&room, &["migrate", "down", "--to", "1", "--yes"]);
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(room.plaintext(), rows);
}

fn kill_half_way(room: &Room, command: &[&str]) {
    let running = room.start(&[command, &["--batch-size", "100", "--batch-delay", "20"]].concat());
    until("half-way", || moved(room) > HALF_WAY);
    running.kill();
    let moved = moved(room);
    assert!((HALF_WAY..ROWS as i64).contains(&moved), "{moved} rows when it was killed");
}

fn cells(status: &Value) -> Vec<u64> {
    status["generations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["cells"].as_u64().unwrap())
        .collect()
}

/// Moments that nobody chose: between two statements of a schema step as well.
fn killed_again_and_again_at_random_moments(engine: Engine) {
    let rows = numbered_rows(300);
    let room = Room::with_plaintext(engine, &rows);
    for round in 0_u64..12 {
        let up = round % 2 == 0;
        let command: &[&str] = if up {
            &["migrate", "up", "--yes"]
        } else {
            &["migrate", "down", "--to", "1", "--yes"]
        };
        for attempt in 0_u64..3 {
            let running = room.start(command);
            std::thread::sleep(std::time::Duration::from_millis((round * 37 + attempt * 61) % 190));
            running.kill();
        }
        room.run(command).expect(0);
        if up {
            room.run(&["keys", "verify"]).expect(0);
            assert_eq!(room.json(&["keys", "status"])["cells"]["sealed"], 600);
        } else {
            assert_eq!(room.plaintext(), rows, "after round {round}");
        }
    }
}

fn interrupted_with_ctrl_c(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3_000));
    let running = room.start(&["keys", "rotate", "--batch-size", "100", "--batch-delay", "20"]);
    until("some rows", || moved(&room) > 200);
    running.interrupt();
    let ran = running.finish().expect(130);
    assert!(ran.err.contains("progress is saved"), "{}", ran.err);
    let again = room.run(&["keys", "rotate", "--format", "json"]).expect(0).json();
    assert_eq!((again["generation"].as_u64(), again["rows"].as_u64()), (Some(2), Some(3_000)));
}

fn two_runs_at_once(engine: Engine) {
    let rows = numbered_rows(5_000);
    let room = Room::with_plaintext(engine, &rows);
    let runs = [1, 2].map(|_| {
        room.start(&["migrate", "up", "--yes", "--batch-size", "200", "--batch-delay", "50"])
    });
    let codes = runs.map(|run| run.finish().code);
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 5].contains(code)), "{codes:?}");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
    assert_eq!(
        room.number("SELECT count(*) FROM strongroom_history WHERE kind = 'schema'"),
        12,
        "no step ran twice"
    );
}

fn cut_short_by_max_rows(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(1_000));
    for _ in 0..3 {
        let ran = room
            .run(&["migrate", "up", "--to", "4", "--max-rows", "300", "--format", "json"])
            .expect(3);
        assert_eq!(ran.json()["error"]["code"], "cut_short");
    }
    assert_eq!(
        room.number("SELECT count(*) FROM credential WHERE secret_key_sealed IS NOT NULL"),
        900
    );
    room.run(&["migrate", "up", "--to", "4", "--max-rows", "300"]).expect(0);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "rotate", "--max-rows", "400"]).expect(3);
    room.run(&["keys", "rotate", "--max-rows", "400"]).expect(3);
    room.run(&["keys", "rotate", "--max-rows", "400"]).expect(0);
    assert_eq!(cells(&room.json(&["keys", "status"])), [0, 2_000]);
}

/// The fence is the last statement before every commit: here the lock goes just before it.
fn a_run_that_lost_its_lock_in_the_midst_of_a_page_commits_nothing(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(20));
    let cells = room.query_cells();
    room.in_the_midst_of_a_page("UPDATE strongroom_lock SET token = token + 1");
    room.run(&["keys", "rotate"]).expect(5);
    assert_eq!(room.query_cells(), cells);
    room.no_longer_in_the_midst();
    room.run(&["keys", "rotate"]).expect(0);
    assert_eq!(cells_of(&room), [0, 40]);
}

fn cells_of(room: &Room) -> Vec<u64> {
    cells(&room.json(&["keys", "status"]))
}
