//! `strongroom migrate …`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use sea_orm::DatabaseConnection;
use serde::Serialize;
use serde_json::json;
use strongroom_entity::credential;
use strongroom_migration::{Backfill, Migrator, NoKeys, Step};

use super::confirm::confirm;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::progress;
use super::session::{Session, release};
use crate::db::{self, Access, Lock};
use crate::reseal::{Options, ResealBackfill};
use crate::schema::{self, Runner, State, Status, Target};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show where the database stands; writes nothing
    Status {
        /// Exit with 3 when something is pending
        #[arg(long)]
        check: bool,
    },
    /// Go forward: make the table, seal it, drop the plaintext
    #[command(after_help = UP_EXAMPLES)]
    Up(Up),
    /// Go back, as far as plaintext byte for byte
    #[command(after_help = DOWN_EXAMPLES)]
    Down(Down),
}

const UP_EXAMPLES: &str = "\
Examples:
  strongroom migrate up --dry-run             what would happen
  strongroom migrate up --to 5                seal, and keep the plaintext for now
  strongroom migrate up --yes                 all the way; drops the plaintext once every cell has opened to it
  strongroom migrate up --to 4 --max-rows 100000    part of the work; the same command again goes on";

const DOWN_EXAMPLES: &str = "\
Examples:
  strongroom migrate down --to 1 --yes        back to the table in the clear
  strongroom migrate down --steps 1 --dry-run";

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Stop at this version: a migration's number or name
    #[arg(long, value_name = "V")]
    to: Option<String>,
    /// Show what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pace: Pace,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Back {
    /// Go back to this version: a migration's number or name; 0 is the empty database
    #[arg(long, value_name = "V")]
    to: Option<String>,
    /// Go back so many steps
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct Down {
    #[command(flatten)]
    back: Back,
    /// Show what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pace: Pace,
}

/// How fast, and how far at a time.
#[derive(Debug, Args)]
pub(super) struct Pace {
    /// Rows a page
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,
    /// Rest between pages, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    batch_delay: u64,
    /// Stop after moving so many rows, with exit code 3
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_rows: Option<u64>,
    /// Stop after so many seconds, with exit code 3
    #[arg(long, value_name = "S")]
    max_duration: Option<u64>,
}

impl Pace {
    pub(super) fn options(&self, session: &Session, output: &Output) -> Options {
        Options {
            batch_size: self.batch_size,
            max_rows: self.max_rows,
            deadline: self.max_duration.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
            batch_delay: Duration::from_millis(self.batch_delay),
            stop: session.stop.clone(),
            on_event: progress::listener(output),
        }
    }
}

pub(super) async fn run(command: Command, session: &Session, output: &Output) -> Result<Exit, Failure> {
    match command {
        Command::Status { check } => show_status(check, session, output).await,
        Command::Up(up) => {
            let wanted = Wanted { to: up.to, steps: None, up: true, dry_run: up.dry_run };
            go(&wanted, &up.pace, session, output).await
        }
        Command::Down(down) => {
            let wanted = Wanted { to: down.back.to, steps: down.back.steps, up: false, dry_run: down.dry_run };
            go(&wanted, &down.pace, session, output).await
        }
    }
}

struct Wanted {
    to: Option<String>,
    steps: Option<usize>,
    up: bool,
    dry_run: bool,
}

async fn show_status(check: bool, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect(Access::Read).await?;
    let status = schema::status(&db, &known_steps()).await?;
    output.result(&status, || status_text(&status));
    Ok(if check && status.pending > 0 { Exit::Left } else { Exit::Done })
}

fn status_text(status: &Status) -> String {
    let mut lines: Vec<String> = status
        .migrations
        .iter()
        .map(|step| {
            let state = match step.state {
                State::Applied => "applied",
                State::Pending => "pending",
                State::HalfWayUp => "half-way up: `strongroom migrate up` goes on",
                State::HalfWayDown => "half-way down: `strongroom migrate down` goes on",
            };
            format!("{:>3}  {:<20} {state}", step.number, step.name)
        })
        .collect();
    lines.push(match status.pending {
        0 => "nothing is pending".to_owned(),
        1 => "1 migration is pending: `strongroom migrate up`".to_owned(),
        pending => format!("{pending} migrations are pending: `strongroom migrate up`"),
    });
    lines.join("\n")
}

async fn go(wanted: &Wanted, pace: &Pace, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let planned = plan_now(wanted, session).await?;
    if wanted.dry_run {
        return dry_run(&planned, wanted.up, session, output).await;
    }
    if planned.steps.is_empty() {
        output.result(&json!({ "ran": [], "version": planned.status.version() }), || "nothing to do".to_owned());
        return Ok(Exit::Done);
    }
    if !wanted.up || planned.steps.iter().any(|(_, step)| step.up_destroys().is_some()) {
        confirm(session, &planned.destroys(wanted.up))?;
    }
    let root = if planned.steps.iter().any(|(_, step)| step.needs_keys()) { Some(session.root().await?) } else { None };

    let db = session.connect(Access::Schema).await?;
    let lock = session.lock(&db).await?;
    let backfill: Arc<dyn Backfill> = match root {
        Some(root) => {
            Arc::new(ResealBackfill::new(root, session.config.minimum_epoch(), lock.clone(), pace.options(session, output)))
        }
        None => Arc::new(NoKeys),
    };
    let ran = run_steps(&db, &lock, backfill, planned.target, output).await;
    release(lock).await;
    let ran = ran?;
    let version = schema::status(&db, &known_steps()).await?.version();
    output.result(&json!({ "ran": ran, "version": version }), || format!("the database is at version {version}"));
    Ok(Exit::Done)
}

async fn run_steps(
    db: &DatabaseConnection,
    lock: &Arc<Lock>,
    backfill: Arc<dyn Backfill>,
    target: Target,
    output: &Output,
) -> Result<Vec<String>, Failure> {
    let runner = Runner::new(db.clone(), lock.clone(), Migrator { backfill }.steps());
    let (progress, begun) = (output.progress(), matches!(target, Target::Up(_)));
    let on_step = move |name: &str, _: bool| {
        if progress {
            super::output::write_err(&format!("{} {name}", if begun { "up  " } else { "down" }));
        }
    };
    Ok(runner.go(target, &on_step).await?)
}

/// What a command would run, from what the database says now.
struct Planned {
    status: Status,
    target: Target,
    steps: Vec<(usize, Box<dyn Step>)>,
}

impl Planned {
    fn destroys(&self, up: bool) -> Vec<String> {
        let what = |step: &dyn Step| if up { step.up_destroys() } else { step.down_destroys() };
        self.steps.iter().filter_map(|(_, step)| Some(format!("{}: {}", step.name(), what(step.as_ref())?))).collect()
    }
}

async fn plan_now(wanted: &Wanted, session: &Session) -> Result<Planned, Failure> {
    let db = session.connect(Access::Read).await?;
    let status = schema::status(&db, &known_steps()).await?;
    let target = match (&wanted.to, wanted.steps) {
        (Some(to), _) if wanted.up => Target::Up(status.number_of(to)?),
        (Some(to), _) => Target::Down(status.number_of(to)?),
        (None, Some(steps)) => Target::Down(status.version().saturating_sub(steps)),
        (None, None) => Target::Up(status.migrations.len()),
    };
    let numbers = schema::numbers(&status, target);
    let mut known: Vec<Option<Box<dyn Step>>> = known_steps().into_iter().map(Some).collect();
    let steps = numbers.into_iter().filter_map(|number| Some((number, known.get_mut(number - 1)?.take()?))).collect();
    db.close().await?;
    Ok(Planned { status, target, steps })
}

#[derive(Serialize)]
struct WouldRun {
    number: usize,
    name: String,
    data: Option<&'static str>,
    destroys: Option<&'static str>,
}

async fn dry_run(planned: &Planned, up: bool, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect(Access::Read).await?;
    let rows = count_rows(&db).await?;
    let would: Vec<WouldRun> = planned
        .steps
        .iter()
        .map(|(number, step)| WouldRun {
            number: *number,
            name: step.name().to_owned(),
            data: step.data_work().filter(|_| up),
            destroys: if up { step.up_destroys() } else { step.down_destroys() },
        })
        .collect();
    output.result(&json!({ "would_run": would, "rows": rows }), || dry_run_text(&would, rows));
    Ok(Exit::Done)
}

fn dry_run_text(would: &[WouldRun], rows: u64) -> String {
    let mut lines = vec![format!("would run {} migrations over {rows} credentials; nothing was done", would.len())];
    for step in would {
        lines.push(format!("{:>3}  {}", step.number, step.name));
        lines.extend(step.data.map(|data| format!("       data: {data}")));
        lines.extend(step.destroys.map(|what| format!("       destroys: {what}")));
    }
    lines.join("\n")
}

async fn count_rows(db: &DatabaseConnection) -> Result<u64, Failure> {
    use sea_orm::{EntityTrait as _, PaginatorTrait as _, QuerySelect as _};
    if !db::has_table(db, credential::TABLE.name).await? {
        return Ok(0);
    }
    Ok(credential::Entity::find().select_only().column(credential::Column::Id).count(db).await?)
}

/// The steps, for looking at them.
fn known_steps() -> Vec<Box<dyn Step>> {
    Migrator { backfill: Arc::new(NoKeys) }.steps()
}
