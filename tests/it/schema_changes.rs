//! Engines that commit at every schema statement: kill -9 between any two of them, and the same command goes on.

use std::collections::BTreeSet;

use crate::support::{Engine, Gate, Room, Row, numbered_rows, until};

#[test]
fn killed_between_any_two_schema_statements_on_mysql() {
    killed_between_any_two_schema_statements(Engine::MySql);
}

#[test]
fn killed_between_any_two_schema_statements_on_mariadb() {
    killed_between_any_two_schema_statements(Engine::MariaDb);
}

/// Every run is killed one schema statement further than those before, so that each gap between two is met.
/// In each gap a program that knows only plaintext writes, and what the database took must not be lost.
fn killed_between_any_two_schema_statements(engine: Engine) {
    let mut rows = numbered_rows(12);
    let room = Room::with_plaintext(engine, &rows);
    let up = run_a_statement_at_a_time(&room, &["migrate", "up", "--to", "8", "--yes"], &mut rows);
    room.run(&["keys", "verify"]).expect(0);
    assert_eq!(room.json(&["keys", "status"])["cells"]["sealed"], 24);
    let down =
        run_a_statement_at_a_time(&room, &["migrate", "down", "--to", "1", "--yes"], &mut rows);
    assert_eq!(room.plaintext(), rows);
    assert!(up >= 30 && down >= 35, "{up} gaps up and {down} down");
    assert_eq!(room.number(LEFT), 0, "no trigger or table of a stage is left");

    let up = run_a_statement_at_a_time(&room, &["migrate", "up", "--to", "8", "--yes"], &mut rows);
    assert!(up >= 30, "{up} gaps: what goes up and down leaves nothing behind");
    assert_eq!(room.number(LEFT), 0, "no trigger or table of a stage is left");
    for row in &rows {
        assert_eq!(
            room.json(&["credential", "show", "--id", &row.id, "--reveal"])["secret"],
            row.secret_key
        );
    }
}

/// What holds writers, and what notes changes.
const LEFT: &str = "SELECT (SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
    AND (trigger_name LIKE 'strongroom_8%' OR trigger_name LIKE 'strongroom_9%')) + (SELECT count(*) FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_name LIKE 'strongroom_changed%')";

#[test]
fn an_adoption_killed_between_any_two_schema_statements() {
    for engine in [Engine::MySql, Engine::MariaDb] {
        let room = Room::empty(engine);
        room.execute("CREATE TABLE ec2_keys (uuid varchar(64) NOT NULL PRIMARY KEY, owner varchar(64) NOT NULL, secret_key text NOT NULL) CHARACTER SET latin1");
        room.execute("INSERT INTO ec2_keys VALUES ('a', 'u', 'café'), ('b', 'v', 'Case')");
        let toml =
            "[adopt]\ntable = \"ec2_keys\"\n[adopt.columns]\nid = \"uuid\"\nuser_id = \"owner\"\n";
        std::fs::write(room.path().join("strongroom.toml"), toml).unwrap();
        let adopt = cut_at_every_statement(&room, &["migrate", "adopt", "--yes"], |_| {});
        room.run(&["migrate", "up", "--yes"]).expect(0);
        assert_eq!(room.json(&["credential", "show", "--id", "a", "--reveal"])["secret"], "café");
        room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
        let back =
            cut_at_every_statement(&room, &["migrate", "down", "--to", "0", "--yes"], |_| {});
        assert!(adopt > 8 && back > 5, "{adopt} gaps there and {back} back");
        assert_eq!(
            room.text("SELECT secret_key FROM ec2_keys WHERE uuid = 'a' AND owner = 'u'"),
            "café"
        );
    }
}

fn run_a_statement_at_a_time(room: &Room, command: &[&str], rows: &mut [Row]) -> usize {
    cut_at_every_statement(room, command, |gap| look_and_write(room, gap, rows))
}

/// How often the run was killed.
pub fn cut_at_every_statement(
    room: &Room,
    command: &[&str],
    mut in_the_gap: impl FnMut(usize),
) -> usize {
    let (mut seen, mut let_through) = (BTreeSet::new(), 1);
    for gap in 0..250 {
        let gate = Gate::new(room.port(), let_through);
        let mut running = room.start_at(&gate.in_front_of(room.url()), command);
        until("the next schema statement, or the end", || gate.is_reached() || running.is_over());
        if !gate.is_reached() {
            running.finish().expect(0);
            return gap;
        }
        running.kill();
        // A run takes back some of what a killed one began: it gets past that by more statements at once.
        let_through = if seen.insert(gate.stopped()) { 1 } else { let_through + 1 };
        in_the_gap(gap);
    }
    panic!("no progress: the same schema statement is sent again and again")
}

fn look_and_write(room: &Room, gap: usize, rows: &mut [Row]) {
    let row = &mut rows[gap % 12];
    let shown = room
        .run(&["credential", "show", "--id", &row.id, "--reveal", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(shown["secret"], row.secret_key, "in gap {gap}");
    let changed = format!("{}, changed in gap {gap}", row.secret_key);
    let update = format!("UPDATE credential SET secret_key = '{changed}' WHERE id = '{}'", row.id);
    if room.try_execute(&update, vec![]).is_ok() {
        row.secret_key = changed;
    }
}

/// Kills a command before the first schema statement whose text has these words.
pub fn cut_until(room: &Room, command: &[&str], words: &str) {
    for let_through in 0..60 {
        let gate = Gate::new(room.port(), let_through);
        let mut running = room.start_at(&gate.in_front_of(room.url()), command);
        until("the next schema statement, or the end", || gate.is_reached() || running.is_over());
        assert!(gate.is_reached(), "no schema statement has `{words}`");
        running.kill();
        if gate.stopped().contains(words) {
            return;
        }
    }
    panic!("no schema statement has `{words}`");
}
