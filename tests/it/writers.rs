//! Programs write at full speed while the database is upgraded and rolled. Nothing is lost.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;
use strongroom::credential::{NewCredential, Store};
use strongroom::crypto::RootKey;
use strongroom::db::{Access, Address, connect};
use strongroom::key::KeySource as _;

use crate::support::{Engine, Room, Row, block_on, numbered_rows, on_every_engine};

on_every_engine!(
    a_program_that_knows_only_plaintext_loses_nothing,
    programs_that_use_the_store_lose_nothing,
    half_way_down_a_program_that_knows_only_plaintext_is_refused,
    a_change_between_reading_and_writing_a_page_is_kept,
    changes_that_a_loose_comparison_would_miss_are_kept,
    a_change_of_a_filled_row_empties_its_cells_or_is_refused,
);

/// Inserts and updates by plain SQL until the database says no. What it said yes to must be there.
fn a_program_that_knows_only_plaintext_loses_nothing(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(3_000));
    let over = AtomicBool::new(false);
    let accepted = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for writer in 0..2 {
            let (room, over, accepted) = (&room, &over, &accepted);
            scope.spawn(move || {
                for n in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let id = format!("writer-{writer}-{n}");
                    let insert =
                        "INSERT INTO credential (id, user_id, type, access_key, secret_key) VALUES ($1, 'u', 'ec2', $2, 'first')";
                    if room.try_execute(insert, vec![id.as_str().into(), format!("access-{id}").into()]).is_ok() {
                        accepted.lock().unwrap().insert(id.clone(), "first");
                        // A change after the row may have been sealed.
                        let update = "UPDATE credential SET secret_key = 'second', user_id = 'v' WHERE id = $1";
                        if room.try_execute(update, vec![id.as_str().into()]).is_ok_and(|rows| rows == 1) {
                            accepted.lock().unwrap().insert(id, "second");
                        }
                    }
                }
            });
        }
        let up = room.run(&["migrate", "up", "--yes", "--batch-size", "200"]);
        over.store(true, Ordering::Relaxed);
        up.expect(0);
    });
    let accepted = accepted.into_inner().unwrap();
    assert!(accepted.len() > 20, "only {} rows were written meanwhile", accepted.len());
    room.run(&["keys", "verify"]).expect(0);
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    let stored: BTreeMap<String, String> =
        room.plaintext().into_iter().map(|row| (row.id, row.secret_key)).collect();
    assert_eq!(stored.len(), 3_000 + accepted.len());
    for (id, secret) in accepted {
        assert_eq!(stored[&id], secret, "{id}");
    }
}

/// Programs that link the library go on through the whole upgrade, a roll, and the way back.
fn programs_that_use_the_store_lose_nothing(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(1_000));
    let over = AtomicBool::new(false);
    let made = Mutex::new(Vec::new());
    let failures = Mutex::new(Vec::new());
    let address = Address::parse(room.url()).unwrap();
    thread::scope(|scope| {
        for writer in 0..2 {
            let (room, over, made, failures, address) = (&room, &over, &made, &failures, &address);
            scope.spawn(move || {
                let store = block_on(store(room, address));
                let mut n = 0;
                while !over.load(Ordering::Relaxed) {
                    n += 1;
                    let mut new = NewCredential::make(format!("writer-{writer}"), "ec2").unwrap();
                    new.project_id = Some(format!("project-{}", n % 4));
                    match block_on(store.create(&new)) {
                        Ok(()) => made.lock().unwrap().push(new.clone()),
                        Err(error) => failures.lock().unwrap().push(error.to_string()),
                    }
                    let found = block_on(store.find(new.access.as_ref().unwrap(), true));
                    if let Err(error) = found {
                        failures.lock().unwrap().push(format!("find: {error}"));
                    }
                }
            });
        }
        let commands: [&[&str]; 4] = [
            &["migrate", "up", "--yes", "--batch-size", "200"],
            &["keys", "rotate", "--batch-size", "200"],
            &["keys", "rotate", "--back", "--batch-size", "200"],
            &["migrate", "down", "--to", "1", "--yes", "--batch-size", "200"],
        ];
        let ran = commands.map(|command| room.run(command));
        over.store(true, Ordering::Relaxed);
        for run in ran {
            run.expect(0);
        }
    });
    let made = made.into_inner().unwrap();
    let failures = failures.into_inner().unwrap();
    assert!(made.len() > 20, "only {} rows were written meanwhile", made.len());
    println!("{} rows written meanwhile, {} writes or reads refused", made.len(), failures.len());
    let stored: BTreeMap<String, String> =
        room.plaintext().into_iter().map(|row| (row.id, row.secret_key)).collect();
    for new in made {
        assert_eq!(stored.get(&new.id), Some(&*new.secret), "{}: {failures:?}", new.id);
    }
}

/// What it wrote would be overwritten by the cells, which count until the way down is finished.
fn half_way_down_a_program_that_knows_only_plaintext_is_refused(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(50));
    room.run(&["migrate", "down", "--to", "5", "--yes", "--max-rows", "10"]).expect(3);
    let refused = [
        "UPDATE credential SET secret_key = 'lost' WHERE id = 'row-000001'",
        "UPDATE credential SET secret_key = 'lost' WHERE id = 'row-000040'",
        "INSERT INTO credential (id, user_id, type, secret_key) VALUES ('new', 'u', 'totp', 'lost')",
    ];
    for statement in refused {
        assert!(room.try_execute(statement, vec![]).is_err(), "{statement}");
    }
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(room.plaintext(), numbered_rows(50));
}

/// The page's cell was made from what the row said before.
fn a_change_between_reading_and_writing_a_page_is_kept(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(20));
    room.run(&["migrate", "up", "--to", "3"]).expect(0);
    let (old, changed) = (numbered_rows(20)[1].secret_key.clone(), "changed meanwhile");
    room.in_the_midst_of_a_page(&format!(
        "UPDATE credential SET secret_key = '{changed}' WHERE secret_key = '{old}'"
    ));
    room.run(&["migrate", "up", "--to", "4"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
    assert_eq!(room.number("SELECT count(*) FROM credential WHERE secret_key_sealed IS NULL"), 0);
    room.no_longer_in_the_midst();
    room.run(&["migrate", "up", "--yes"]).expect(0);
    assert_eq!(
        room.json(&["credential", "show", "--id", "row-000001", "--reveal"])["secret"],
        changed
    );
}

/// Case, a trailing blank and NULL, all in the midst of a page: while sealing, and again while rolling.
fn changes_that_a_loose_comparison_would_miss_are_kept(engine: Engine) {
    let mut rows = numbered_rows(20);
    let room = Room::with_plaintext(engine, &rows);
    room.run(&["migrate", "up", "--to", "3"]).expect(0);
    let change_in_the_midst_of = |command: &[&str], rows: &mut [Row], first: usize| {
        let changes = |row: &mut [Row]| {
            row[0].secret_key = row[0].secret_key.to_uppercase();
            row[1].secret_key.push(' ');
            row[2].access_key = None;
            row[3].project_id = None;
        };
        changes(&mut rows[first..]);
        let sql = rows[first..first + 4].iter().map(|row| {
            let text = |value: &Option<String>| value.as_ref().map_or("NULL".to_owned(), |text| format!("'{text}'"));
            let (access, project) = (text(&row.access_key), text(&row.project_id));
            format!(
                "UPDATE credential SET secret_key = '{}', access_key = {access}, project_id = {project} WHERE id = '{}'",
                row.secret_key, row.id
            )
        });
        room.in_the_midst_of_a_page(&sql.collect::<Vec<_>>().join("; "));
        room.run(command).expect(0);
        room.no_longer_in_the_midst();
    };
    change_in_the_midst_of(&["migrate", "up", "--to", "4"], &mut rows, 0);
    change_in_the_midst_of(&["keys", "rotate"], &mut rows, 10);
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
    for row in &rows {
        let shown = room.json(&["credential", "show", "--id", &row.id, "--reveal"]);
        assert_eq!(
            (&shown["secret"], &shown["access"]),
            (&json!(row.secret_key), &json!(row.access_key)),
            "{}",
            row.id
        );
    }
    room.run(&["migrate", "down", "--to", "1", "--yes"]).expect(0);
    assert_eq!(room.plaintext(), rows);
}

fn a_change_of_a_filled_row_empties_its_cells_or_is_refused(engine: Engine) {
    let room = Room::with_plaintext(engine, &numbered_rows(5));
    room.run(&["migrate", "up", "--to", "4"]).expect(0);
    let empty = "SELECT count(*) FROM credential WHERE secret_key_sealed IS NULL OR (access_key_sealed IS NULL AND access_key_index IS NULL)";
    for (n, change) in [
        "secret_key = 'new'",
        "access_key = 'new'",
        "user_id = 'new'",
        "project_id = NULL",
        "extra = 'new'",
    ]
    .iter()
    .enumerate()
    {
        room.execute(&format!("UPDATE credential SET {change} WHERE id = 'row-{n:06}'"));
        assert_eq!(room.number(empty), i64::try_from(n).unwrap() + 1, "{change}");
    }
    room.run(&["migrate", "up", "--to", "5"]).expect(0);
    for change in
        ["secret_key = 'newer'", "access_key = 'newer'", "user_id = 'newer'", "extra = 'newer'"]
    {
        assert!(
            room.try_execute(
                &format!("UPDATE credential SET {change} WHERE id = 'row-000001'"),
                vec![]
            )
            .is_err(),
            "{change}"
        );
    }
    room.execute("UPDATE credential SET created_at = created_at WHERE id = 'row-000001'");
    room.run(&["migrate", "up", "--yes"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
}

async fn store(room: &Room, address: &Address) -> Store {
    let db = connect(address, Access::Write).await.unwrap();
    let key: RootKey = strongroom::key::FileSource::new(room.key_file()).root().await.unwrap();
    Store::new(db, Some(std::sync::Arc::new(key.into())), 0)
}
