//! Rows per second of sealing, rolling and going down, beside a bare compare-and-swap of ready-made bytes in the same run.
//!
//! Ids are random, as control planes have them. `cargo bench --bench reseal -- sqlite 1000000` takes one engine and another
//! number of rows. A rate is rows over the time in which rows move; the rest of a command is told beside it. Rates of
//! different machines do not compare; the ratios do.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark prints"
)]

#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    reason = "the tests use more of it"
)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "as in the tests"
)]
mod support;

#[path = "reseal/bare.rs"]
mod bare;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;
use sea_orm::prelude::Uuid;
use strongroom::db::{Access, Address, Lock, connect};
use strongroom::key::{FileSource, KeySource as _, Ring, Rolling, Roots};
use strongroom::migration::{Migrator, NoKeys};
use strongroom::reseal::{self, Event, Options, Stop};
use strongroom::schema::{self, KeyedSteps, Runner, SchemaError, Target};

use bare::Bare;
use support::{Engine, Room, Row, block_on, numbered_rows};

const ROWS: usize = 100_000;
/// Each is measured so often, in turn with the bare statement.
const ROUNDS: usize = 2;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rows = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(ROWS);
    let engines = [Engine::Sqlite, Engine::Postgres, Engine::MySql, Engine::MariaDb];
    let is_named = |engine: &Engine| {
        arguments.iter().any(|argument| argument.eq_ignore_ascii_case(&format!("{engine:?}")))
    };
    let all = !engines.iter().any(is_named);
    println!(
        "{rows} rows of two cells under random ids; rows/s, and the ratio to a bare compare-and-swap of ready-made bytes"
    );
    for engine in engines.into_iter().filter(|engine| all || is_named(engine)) {
        Bench::new(engine, rows).run();
    }
}

struct Bench {
    room: Room,
    rows: usize,
    db: DatabaseConnection,
    roots: Arc<Roots>,
}

impl Bench {
    fn new(engine: Engine, rows: usize) -> Self {
        let room = Room::with_plaintext(engine, &random_rows(rows));
        let (db, roots) = block_on(async {
            let db = connect(&Address::parse(room.url()).unwrap(), Access::Schema).await.unwrap();
            (db, Arc::new(Roots::from(FileSource::new(room.key_file()).root().await.unwrap())))
        });
        Self { room, rows, db, roots }
    }

    fn run(&self) {
        let bare = Bare { room: &self.room, db: &self.db };
        self.go(Target::Up(3), Options::default()).unwrap();
        for _ in 0..ROUNDS {
            let filled = self.timed(|options| self.go(Target::Up(4), options).unwrap());
            let changes = bare.fill();
            bare.empty_cells();
            self.print("seal", &filled, self.bare(|| bare.apply(&bare::FILL, &changes)));
            self.go(Target::Down(3), Options::default()).unwrap();
            bare.empty_cells();
        }
        let up = Instant::now();
        self.go(Target::Up(7), Options::default()).unwrap();
        println!(
            "{:?}: seal, prove, drop and scrub, all of them: {:.1} s",
            self.room.engine,
            up.elapsed().as_secs_f64()
        );
        for _ in 0..ROUNDS {
            let before = bare.cells();
            let rolled = self.timed(|options| self.roll(&options));
            let changes = bare.back_to(before);
            self.print("roll", &rolled, self.bare(|| bare.apply(&bare::ROLL, &changes)));
        }
        let verified = Instant::now();
        self.room.run(&["keys", "verify"]).expect(0);
        println!(
            "{:?}: verify {:.0} rows/s",
            self.room.engine,
            self.rows as f64 / verified.elapsed().as_secs_f64()
        );
        self.go_down(&bare);
    }

    /// The bare statement runs where the way down was cut short, before the engine does the same.
    fn go_down(&self, bare: &Bare<'_>) {
        let one = Options { max_rows: Some(1), batch_size: 1, ..Options::default() };
        assert!(self.go(Target::Down(5), one).is_err(), "cut short");
        let changes = bare.open();
        let opened_bare = self.bare(|| bare.apply(&bare::OPEN, &changes));
        bare.empty_plaintext();
        let opened = self.timed(|options| self.go(Target::Down(5), options).unwrap());
        self.print("open", &opened, opened_bare);
        self.go(Target::Down(1), Options::default()).unwrap();
    }

    fn go(&self, target: Target, options: Options) -> Result<(), SchemaError> {
        block_on(async {
            schema::install(&self.db).await?;
            let lock = Arc::new(Lock::take(&self.db).await?);
            let backfill =
                Arc::new(KeyedSteps::new(Some(self.roots.clone()), 0, lock.clone(), options));
            let steps = Migrator { backfill, grants: Arc::new(NoKeys), adopted: None }.steps();
            let done = Runner::new(self.db.clone(), lock.clone(), steps, Stop::default())
                .go(target, &|_, _| ())
                .await;
            Arc::into_inner(lock).unwrap().release().await.unwrap();
            done.map(drop)
        })
    }

    fn roll(&self, options: &Options) {
        block_on(async {
            let ring = Arc::new(Ring::load(&self.db, self.roots.clone()).await.unwrap());
            let lock = Lock::take(&self.db).await.unwrap();
            reseal::roll(&self.db, &ring, &lock, Rolling::Forward, options).await.unwrap();
            lock.release().await.unwrap();
        });
    }

    fn timed(&self, work: impl FnOnce(Options)) -> Timed {
        let passes = Arc::new(Mutex::new((Duration::ZERO, None)));
        let mut options = Options::default();
        let told = passes.clone();
        options.on_event = Arc::new(move |event| {
            let (moving, begun) = &mut *told.lock().unwrap();
            match event {
                Event::Started { .. } => *begun = Some(Instant::now()),
                Event::Finished => {
                    *moving +=
                        begun.take().map_or(Duration::ZERO, |begun: Instant| begun.elapsed());
                }
                _ => {}
            }
        });
        let begun = Instant::now();
        work(options);
        let moving = passes.lock().unwrap().0;
        Timed {
            rate: self.rows as f64 / moving.as_secs_f64(),
            rest: begun.elapsed().saturating_sub(moving),
        }
    }

    fn bare(&self, work: impl FnOnce() -> u64) -> f64 {
        let begun = Instant::now();
        assert_eq!(work(), self.rows as u64, "every row is as it was read");
        self.rows as f64 / begun.elapsed().as_secs_f64()
    }

    fn print(&self, what: &str, timed: &Timed, bare: f64) {
        let Timed { rate, rest } = timed;
        let (engine, rest) = (self.room.engine, rest.as_secs_f64());
        println!(
            "{engine:?}: {what} {rate:.0}, bare {bare:.0}, ratio {:.2}; {rest:.1} s beside the rows",
            rate / bare
        );
    }
}

struct Timed {
    /// Rows a second while rows moved.
    rate: f64,
    /// What the command took beside that.
    rest: Duration,
}

fn random_rows(count: usize) -> Vec<Row> {
    let mut rows = numbered_rows(count);
    for row in &mut rows {
        row.id = Uuid::new_v4().simple().to_string();
    }
    rows
}
