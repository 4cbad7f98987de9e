//! On SQLite a pass follows the rowids. Rows that change place meanwhile are moved all the same.

use crate::support::{Engine, Room, Row, numbered_rows};

const ROWS: usize = 1_000;

/// Their ids are in another order than they are stored in.
fn rows() -> Vec<Row> {
    let mut rows = numbered_rows(ROWS);
    for (n, row) in rows.iter_mut().enumerate() {
        row.id = format!("id-{:03}-{n}", n * 617 % ROWS);
    }
    rows
}

fn sealed() -> Room {
    Room::sealed(Engine::Sqlite, &rows())
}

/// A third of the cells are on generation 2.
fn half_rolled() -> Room {
    let room = sealed();
    room.run(&["keys", "rotate", "--batch-size", "100", "--max-rows", "300"]).expect(3);
    assert_eq!(
        room.text("SELECT direction FROM strongroom_reseal WHERE table_name = 'credential'"),
        "roll/rowid"
    );
    room
}

#[track_caller]
fn finish(room: &Room, rows: usize) {
    let done = room.run(&["keys", "rotate", "--format", "json"]).expect(0).json();
    assert_eq!((&done["rows"], &done["generation"]), (&ROWS.into(), &2.into()), "each row once");
    let status = room.run(&["keys", "status", "--check", "--format", "json"]).expect(0).json();
    assert_eq!(status["cells"]["sealed"], 2 * rows, "{status}");
    room.run(&["keys", "verify"]).expect(0);
}

#[test]
fn a_checkpoint_by_id_is_continued() {
    let room = half_rolled();
    room.execute("UPDATE strongroom_reseal SET direction = 'roll', after_id = 'id-500' WHERE table_name = 'credential'");
    finish(&room, ROWS);
}

#[test]
fn a_checkpoint_by_rowid_is_continued_after_rows_were_renumbered() {
    let room = half_rolled();
    room.execute("UPDATE credential SET rowid = rowid - 2000 WHERE rowid > 500");
    finish(&room, ROWS);
}

#[test]
fn a_row_that_gets_another_rowid_in_the_midst_of_its_page_is_moved() {
    let room = sealed();
    room.in_the_midst_of_a_page(
        "UPDATE credential SET rowid = -rowid WHERE rowid BETWEEN 1 AND 50",
    );
    room.run(&["keys", "rotate", "--batch-size", "100"]).expect(0);
    room.no_longer_in_the_midst();
    assert_eq!(room.number("SELECT count(*) FROM credential WHERE rowid < 0"), 50);
    room.run(&["keys", "status", "--check"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
}

#[test]
fn the_way_up_and_down_follows_the_rows_and_can_be_cut_short() {
    let room = Room::with_plaintext(Engine::Sqlite, &rows());
    room.run(&["migrate", "up", "--to", "4", "--max-rows", "300"]).expect(3);
    room.execute("UPDATE credential SET rowid = rowid - 2000 WHERE rowid > 900");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
    room.run(&["migrate", "down", "--to", "5", "--yes", "--max-rows", "300"]).expect(3);
    assert_eq!(
        room.text("SELECT direction FROM strongroom_reseal WHERE table_name = 'credential'"),
        "open/rowid"
    );
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    let mut expected = rows();
    expected.sort();
    assert_eq!(room.plaintext(), expected);
}
