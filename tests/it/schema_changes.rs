//! Engines that commit at every schema statement: kill -9 between any two of them, and the same command goes on.

use crate::support::{Engine, Gate, Room, Row, numbered_rows, until};

#[test]
fn killed_between_any_two_schema_statements_on_mysql() {
    killed_between_any_two_schema_statements(Engine::MySql);
}

#[test]
fn killed_between_any_two_schema_statements_on_mariadb() {
    killed_between_any_two_schema_statements(Engine::MariaDb);
}

/// Every run gets one schema statement further than the one before, so that each gap between two is met.
/// In each gap a program that knows only plaintext writes, and what the database took must not be lost.
fn killed_between_any_two_schema_statements(engine: Engine) {
    let mut rows = numbered_rows(12);
    let room = Room::with_plaintext(engine, &rows);
    let up = run_a_statement_at_a_time(&room, &["migrate", "up", "--yes"], &mut rows);
    room.run(&["keys", "verify"]).expect(0);
    assert_eq!(room.json(&["keys", "status"])["cells"]["sealed"], 24);
    let down = run_a_statement_at_a_time(&room, &["migrate", "down", "--to", "1", "--yes"], &mut rows);
    assert_eq!(room.plaintext(), rows);
    assert_eq!((up, down), (15, 20), "gaps; a new schema statement adds one");

    let up = run_a_statement_at_a_time(&room, &["migrate", "up", "--yes"], &mut rows);
    assert_eq!(up, 15, "what goes up and down leaves nothing behind");
    for row in &rows {
        assert_eq!(room.json(&["credential", "show", "--id", &row.id, "--reveal"])["secret"], row.secret_key);
    }
}

/// How often the run was killed.
fn run_a_statement_at_a_time(room: &Room, command: &[&str], rows: &mut [Row]) -> usize {
    for gap in 0.. {
        let gate = Gate::new(room.port(), 1);
        let mut running = room.start_at(&gate.in_front_of(room.url()), command);
        until("the next schema statement, or the end", || gate.is_reached() || running.is_over());
        if !gate.is_reached() {
            running.finish().expect(0);
            return gap;
        }
        running.kill();
        look_and_write(room, gap, rows);
    }
    unreachable!()
}

fn look_and_write(room: &Room, gap: usize, rows: &mut [Row]) {
    let row = &mut rows[gap % 12];
    let shown = room.run(&["credential", "show", "--id", &row.id, "--reveal", "--format", "json"]).expect(0).json();
    assert_eq!(shown["secret"], row.secret_key, "in gap {gap}");
    let changed = format!("{}, changed in gap {gap}", row.secret_key);
    let update = format!("UPDATE credential SET secret_key = '{changed}' WHERE id = '{}'", row.id);
    if room.try_execute(&update, vec![]).is_ok() {
        row.secret_key = changed;
    }
}
