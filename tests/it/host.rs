//! A host program's own migrations, run beside Strongroom's.

mod billing;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sea_orm::sea_query::{Alias, ColumnDef, Index, IntoIden as _, Table};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbErr, DynIden};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager, async_trait,
};
use strongroom::db::{self, LockError};
use strongroom::reseal::Stop;
use strongroom::schema::{HostError, HostRunner, State, StepEvent, Target, is_recorded};

use crate::support::{Engine, Room, block_on, on_every_engine, runtime, until};
use billing::{Billing, NAMES};

on_every_engine!(
    up_down_and_up_again,
    two_runs_at_once_run_each_step_once,
    a_step_that_failed_half_way_is_run_again,
    a_step_that_failed_half_way_may_be_mended,
    a_request_to_stop_ends_a_run_before_the_next_step,
    a_run_that_was_killed_goes_on,
    what_another_loop_applied_is_adopted,
    a_newer_an_older_and_an_edited_database_are_told_apart,
    what_another_tool_took_back_is_refused,
    a_plan_shows_the_sql_and_writes_nothing,
    strongroom_and_two_programs_share_a_database,
);

fn connected(room: &Room) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(room.url());
    options.min_connections(0).max_connections(4).sqlx_logging(false);
    block_on(Database::connect(options)).unwrap()
}

fn billing(room: &Room, migrator: &Billing) -> HostRunner {
    HostRunner::new(connected(room), "billing", migrator).unwrap()
}

/// What the history says: place, name, direction, finished.
fn timeline(runner: &HostRunner) -> Vec<(i32, String, String, bool)> {
    let rows = block_on(runner.history()).unwrap();
    assert!(rows.iter().all(|row| row.kind == "host" && row.checksum.is_some()));
    rows.into_iter()
        .map(|row| (row.number.unwrap(), row.name, row.direction, row.finished_at.is_some()))
        .collect()
}

fn row(number: i32, direction: &str, finished: bool) -> (i32, String, String, bool) {
    let name = format!("billing/{}", NAMES[usize::try_from(number).unwrap() - 1]);
    (number, name, direction.to_owned(), finished)
}

fn states(runner: &HostRunner) -> Vec<State> {
    block_on(runner.status()).unwrap().migrations.into_iter().map(|step| step.state).collect()
}

fn up_down_and_up_again(engine: Engine) {
    let room = Room::empty(engine);
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let runner = billing(&room, &Billing::default()).telling(move |event| {
        if let StepEvent::Finished { number, up, .. } = event {
            told.lock().unwrap().push((number, up));
        }
    });
    assert_eq!(states(&runner), [State::Pending; 3]);
    assert_eq!(block_on(runner.up()).unwrap(), NAMES);
    block_on(runner.require_current()).unwrap();
    assert_eq!(room.number("SELECT count(*) FROM invoice WHERE paid = amount"), 2);
    let theirs = block_on(Billing::default().get_pending_migrations(&connected(&room))).unwrap();
    assert!(theirs.is_empty(), "sea-orm's own tools agree");

    assert_eq!(block_on(runner.down_to(NAMES[0])).unwrap(), [NAMES[2], NAMES[1]]);
    assert_eq!(states(&runner), [State::Applied, State::Pending, State::Pending]);
    assert_eq!(room.number("SELECT count(*) FROM seaql_migrations"), 1);
    assert_eq!(block_on(runner.up_to("2")).unwrap(), [NAMES[1]]);
    assert_eq!(block_on(runner.up()).unwrap(), [NAMES[2]]);
    assert_eq!(block_on(runner.up()).unwrap(), [""; 0]);
    let directions: Vec<_> = timeline(&runner)
        .into_iter()
        .map(|(number, _, direction, _)| (number, direction))
        .collect();
    let expected =
        [(1, "up"), (2, "up"), (3, "up"), (3, "down"), (2, "down"), (2, "up"), (3, "up")];
    assert_eq!(directions, expected.map(|(number, direction)| (number, direction.to_owned())));
    assert_eq!(events.lock().unwrap()[..4], [(1, true), (2, true), (3, true), (3, false)]);
    assert!(matches!(block_on(runner.up_to("m0009")), Err(HostError::Unknown(_))));

    assert_eq!(block_on(runner.down_to("0")).unwrap().len(), 3);
    assert_eq!(room.number("SELECT count(*) FROM seaql_migrations"), 0);
}

fn two_runs_at_once_run_each_step_once(engine: Engine) {
    let room = Room::empty(engine);
    let slow = Billing { pause: Duration::from_secs(8), ..Billing::default() };
    let first = billing(&room, &slow);
    block_on(first.up_to("1")).unwrap();
    let first = runtime().spawn(async move { first.up().await });
    let third = "SELECT count(*) FROM strongroom_history WHERE number = 3";
    until("the slow step has begun", || {
        room.number("SELECT count(*) FROM seaql_migrations") == 2 && room.number(third) == 1
    });

    let held = block_on(billing(&room, &slow).up()).unwrap_err();
    let HostError::Lock(LockError::Held { holder }) = held else { panic!("{held:?}") };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    let waits = billing(&room, &slow).waiting(Duration::from_mins(1));
    assert_eq!(block_on(waits.up()).unwrap(), [""; 0]);
    assert_eq!(block_on(first).unwrap().unwrap(), NAMES[1..]);
    assert_eq!(timeline(&waits), [row(1, "up", true), row(2, "up", true), row(3, "up", true)]);
}

fn a_step_that_failed_half_way_is_run_again(engine: Engine) {
    let room = Room::empty(engine);
    let migrator = Billing::default();
    migrator.fails.store(true, Ordering::Release);
    let runner = billing(&room, &migrator);
    let failed = block_on(runner.up()).unwrap_err();
    assert!(matches!(&failed, HostError::Step { name, .. } if name == NAMES[2]), "{failed}");
    assert_eq!(states(&runner), [State::Applied, State::Applied, State::HalfWayUp]);
    let refused = block_on(runner.require_current()).unwrap_err();
    assert!(
        matches!(&refused, HostError::HalfWay { step, up: true } if step == NAMES[2]),
        "{refused}"
    );

    migrator.fails.store(false, Ordering::Release);
    // Strongroom's own steps may come in between.
    room.run(&["migrate", "up", "--to", "1"]).expect(0);
    assert_eq!(block_on(runner.up()).unwrap(), [NAMES[2]]);
    assert_eq!(timeline(&runner), [row(1, "up", true), row(2, "up", true), row(3, "up", true)]);
    assert_eq!(room.number("SELECT count(*) FROM invoice WHERE paid = amount"), 2);
}

/// The attempt that failed stays in the history. What was finished must not be edited.
fn a_step_that_failed_half_way_may_be_mended(engine: Engine) {
    let room = Room::empty(engine);
    let migrator = Billing::default();
    migrator.fails.store(true, Ordering::Release);
    block_on(billing(&room, &migrator).up()).unwrap_err();
    let mended = billing(&room, &Billing { mended: true, ..Billing::default() });
    assert_eq!(block_on(mended.up()).unwrap(), [NAMES[2]]);
    assert_eq!(timeline(&mended)[2..], [row(3, "up", false), row(3, "up", true)]);
    block_on(mended.require_current()).unwrap();
    assert!(matches!(
        block_on(billing(&room, &Billing::default()).require_current()),
        Err(HostError::Edited { .. })
    ));
}

fn a_request_to_stop_ends_a_run_before_the_next_step(engine: Engine) {
    let room = Room::empty(engine);
    let stop = Stop::default();
    let requested = stop.clone();
    let runner = billing(&room, &Billing::default()).stopping_on(stop).telling(move |event| {
        if let StepEvent::Finished { .. } = event {
            requested.request();
        }
    });
    let interrupted = block_on(runner.up()).unwrap_err();
    assert!(
        matches!(&interrupted, HostError::Interrupted { before } if before == NAMES[1]),
        "{interrupted}"
    );
    assert_eq!(states(&runner), [State::Applied, State::Pending, State::Pending]);
    // The lock was given back.
    assert_eq!(block_on(billing(&room, &Billing::default()).up()).unwrap(), NAMES[1..]);
}

fn a_run_that_was_killed_goes_on(engine: Engine) {
    let room = Room::empty(engine);
    let runner = billing(&room, &Billing { pause: Duration::from_hours(1), ..Billing::default() });
    block_on(runner.up_to("2")).unwrap();
    let killed = runtime().spawn(async move { runner.up().await });
    until("the first half is done", || {
        room.number(
            "SELECT count(*) FROM strongroom_history WHERE number = 3 AND finished_at IS NULL",
        ) == 1
            && room.number("SELECT count(*) FROM invoice WHERE paid IS NOT NULL") == 1
    });
    killed.abort();
    assert!(block_on(killed).unwrap_err().is_cancelled());
    // Its process lives on, so the lease would have to end by itself.
    let db = connected(&room);
    let holder = block_on(db::lock_holder(&db)).unwrap().unwrap();
    assert!(block_on(db::take_lock_away(&db, &holder.id)).unwrap());

    let runner = billing(&room, &Billing::default());
    assert_eq!(block_on(runner.up()).unwrap(), [NAMES[2]]);
    assert_eq!(timeline(&runner), [row(1, "up", true), row(2, "up", true), row(3, "up", true)]);
}

fn what_another_loop_applied_is_adopted(engine: Engine) {
    let room = Room::empty(engine);
    block_on(MigratorTraitSelf::up(&Billing::default(), &connected(&room), Some(2))).unwrap();
    let runner = billing(&room, &Billing::default());
    assert_eq!(states(&runner), [State::Applied, State::Applied, State::Pending]);
    assert_eq!(timeline(&runner), []);
    assert_eq!(block_on(runner.up()).unwrap(), [NAMES[2]]);
    assert_eq!(
        timeline(&runner),
        [row(1, "adopted", true), row(2, "adopted", true), row(3, "up", true)]
    );
    // From here on an edited step is noticed.
    let edited =
        block_on(billing(&room, &Billing { edited: true, ..Billing::default() }).require_current());
    assert!(matches!(&edited, Err(HostError::Edited { step }) if step == NAMES[1]), "{edited:?}");
    assert_eq!(block_on(runner.down_to("0")).unwrap().len(), 3);
}

fn a_newer_an_older_and_an_edited_database_are_told_apart(engine: Engine) {
    let room = Room::empty(engine);
    let (old, new) = (Billing { without: 1, ..Billing::default() }, Billing::default());
    let (older_program, program) = (billing(&room, &old), billing(&room, &new));
    block_on(older_program.up()).unwrap();
    block_on(older_program.require_current()).unwrap();
    let older = block_on(program.require_current());
    assert!(
        matches!(&older, Err(HostError::Older { pending }) if *pending == [NAMES[2]]),
        "{older:?}"
    );

    block_on(program.up()).unwrap();
    let newer = block_on(older_program.require_current());
    assert!(matches!(&newer, Err(HostError::Newer { step }) if step == NAMES[2]), "{newer:?}");
    assert!(matches!(block_on(older_program.down_to("0")), Err(HostError::Newer { .. })));
    // sea-orm's own tools write no history.
    room.execute("DELETE FROM strongroom_history WHERE number = 3");
    assert!(matches!(block_on(older_program.up()), Err(HostError::Newer { .. })));
    block_on(program.up()).unwrap();
    block_on(program.down_to("2")).unwrap();
    block_on(older_program.require_current()).unwrap();

    let edited = billing(&room, &Billing { edited: true, ..Billing::default() });
    let refused = block_on(edited.up());
    assert!(matches!(&refused, Err(HostError::Edited { step }) if step == NAMES[1]), "{refused:?}");
    block_on(program.down_to("1")).unwrap();
    assert_eq!(block_on(edited.up()).unwrap(), [NAMES[1], NAMES[2]]);
}

fn what_another_tool_took_back_is_refused(engine: Engine) {
    let room = Room::empty(engine);
    let runner = billing(&room, &Billing::default());
    block_on(runner.up()).unwrap();
    block_on(MigratorTraitSelf::down(&Billing::default(), &connected(&room), Some(1))).unwrap();
    let refused = block_on(runner.up()).unwrap_err();
    assert!(
        matches!(&refused, HostError::TakenBack { step, table } if step == NAMES[2] && table == "seaql_migrations"),
        "{refused}"
    );
    block_on(MigratorTraitSelf::up(&Billing::default(), &connected(&room), None)).unwrap();
    block_on(runner.require_current()).unwrap();
}

fn a_plan_shows_the_sql_and_writes_nothing(engine: Engine) {
    let room = Room::empty(engine);
    let runner = billing(&room, &Billing::default());
    let plan = block_on(runner.plan(Target::Up(3))).unwrap();
    assert_eq!(plan.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), NAMES);
    assert!(
        plan[0].sql[0].starts_with("CREATE TABLE") && plan[0].sql[1].starts_with("CREATE INDEX"),
        "{}",
        plan[0]
    );
    assert!(!plan[0].approximate && plan[0].cut_short.is_none());
    assert_eq!(plan[0].in_transaction, matches!(engine, Engine::Sqlite | Engine::Postgres));
    // The column is not there yet, so the step gives up.
    assert_eq!((plan[2].sql.len(), plan[2].approximate), (0, true));
    assert!(plan[2].cut_short.as_ref().unwrap().contains("nothing to settle"), "{}", plan[2]);
    assert_eq!(room.tables(), 0, "nothing was written");

    block_on(runner.up_to("2")).unwrap();
    let plan = block_on(runner.plan(Target::Up(3))).unwrap();
    assert_eq!(
        (plan.len(), plan[0].sql.len(), plan[0].cut_short.is_none()),
        (1, 2, true),
        "{}",
        plan[0]
    );
    assert!(plan[0].to_string().contains("approximate"), "{}", plan[0]);
    assert_eq!(room.number("SELECT count(*) FROM invoice WHERE paid IS NOT NULL"), 0);
    let down = block_on(runner.plan(Target::Down(0))).unwrap();
    assert!(down[1].sql[0].starts_with("DROP TABLE"), "{}", down[1]);
}

fn strongroom_and_two_programs_share_a_database(engine: Engine) {
    let room = Room::empty(engine);
    let billing = billing(&room, &Billing::default());
    let one_step = Billing { without: 2, table: Some("stock_migrations"), ..Billing::default() };
    let stock = HostRunner::new(connected(&room), "stock", &one_step).unwrap();
    block_on(billing.up_to("2")).unwrap();
    room.run(&["migrate", "up", "--to", "3"]).expect(0);
    block_on(billing.up()).unwrap();
    let status = room.json(&["migrate", "status"]);
    assert_eq!(status["pending"], 9, "{status}");
    assert_eq!(states(&stock), [State::Pending]);
    room.execute("DROP TABLE invoice");
    block_on(stock.up()).unwrap();

    block_on(billing.require_current()).unwrap();
    block_on(stock.require_current()).unwrap();
    room.run(&["migrate", "down", "--to", "0", "--yes"]).expect(0);
    assert_eq!(room.json(&["migrate", "status"])["pending"], 12);
    block_on(billing.require_current()).unwrap();
    block_on(stock.require_current()).unwrap();

    let history = room.json(&["migrate", "history"]);
    let last = |name: &str| {
        history["history"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["kind"].clone()
    };
    assert_eq!(
        (last("billing/m0003_settle"), last("stock/m0001_create_invoice")),
        ("host".into(), "host".into())
    );
    let text = room.run(&["migrate", "history"]).expect(0).out;
    assert!(
        text.lines().any(|line| line.ends_with("up            billing/m0003_settle")),
        "{text}"
    );
}
