//! `strongroom migrate …`.

mod adopt;
mod epochs;
mod guards;
mod look;
mod pace;
mod plan;
mod way_back;

use std::sync::Arc;

use clap::{Args, Subcommand};
use sea_orm::DatabaseConnection;
use serde_json::json;
use strongroom::migration::{Backfill, Migrator, NoKeys, Step};

use self::epochs::Epochs;
use self::plan::{Planned, Wanted};
use super::confirm::confirm;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::{Session, release};
use strongroom::component::PolicySteps;
use strongroom::db::{Access, Lock};
use strongroom::internal::policy::{Needs, require_ready};
use strongroom::internal::schema::{self, KeyedSteps, Runner, Target};
use strongroom::key::Epoch;
use strongroom::reseal::Stop;

pub(super) use pace::Pace;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show where the database stands; writes nothing
    Status {
        /// Exit with 3 when something is pending
        #[arg(long)]
        check: bool,
    },
    /// Show the SQL and the data work of getting somewhere; nothing is done
    Plan {
        /// The version to get to, up or down: a migration's number or name [default: the newest]
        #[arg(long, value_name = "V")]
        to: Option<String>,
    },
    /// Go forward: make the table, seal it, drop the plaintext
    #[command(after_help = UP_EXAMPLES)]
    Up(Up),
    /// Go back, as far as plaintext byte for byte
    #[command(after_help = DOWN_EXAMPLES)]
    Down(Down),
    /// Take over a plaintext table that was there before, after showing what is there and would be done
    #[command(after_help = ADOPT_HELP)]
    Adopt {
        /// Show what is there and would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what was done to the database, and when
    History,
    /// Take the run lock from a holder that cannot go on
    Unlock {
        /// The holder, as `migrate status` shows it
        #[arg(long, value_name = "ID")]
        holder: String,
    },
}

const ADOPT_HELP: &str = "\
The configuration says which table, and which column is which where the names differ:

  [adopt]
  table = \"ec2_credential\"
  [adopt.columns]
  id = \"uuid\"
  access_key = \"access\"
  secret_key = \"secret\"

The table gets the name credential and these columns, so stop the programs that know it by other names.
`strongroom migrate down --to 0 --yes` gives it back as it was.";

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

pub(super) async fn run(
    command: Command,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Status { check } => look::status(check, session, output).await,
        Command::Plan { to } => {
            let planned = Planned::read(&Wanted::Version(to), session).await?;
            plan::show(&planned, true, session, output).await
        }
        Command::Up(up) => go(&Wanted::Up(up.to), up.dry_run, &up.pace, session, output).await,
        Command::Down(Down { back, dry_run, pace }) => {
            let wanted = back.to.map_or(Wanted::DownSteps(back.steps.unwrap_or(0)), Wanted::DownTo);
            go(&wanted, dry_run, &pace, session, output).await
        }
        Command::Adopt { dry_run } => adopt::run(dry_run, session, output).await,
        Command::History => look::show_history(session, output).await,
        Command::Unlock { holder } => look::unlock(&holder, session, output).await,
    }
}

async fn go(
    wanted: &Wanted,
    dry_run: bool,
    pace: &Pace,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let planned = Planned::read(wanted, session).await?;
    if dry_run {
        way_back::foresee(&planned, session).await?;
        return plan::show(&planned, false, session, output).await;
    }
    if planned.steps.is_empty() {
        let guards =
            if planned.is_up() { guards::restore(&planned, session).await? } else { Vec::new() };
        let version = planned.status.version();
        let document = match guards.as_slice() {
            [] => json!({ "ran": [], "version": version }),
            guards => json!({ "ran": [], "version": version, "guards": guards }),
        };
        output.result(&document, || match guards.as_slice() {
            [] => "nothing to do".to_owned(),
            guards => format!("made again, for they were gone: {}", guards.join(", ")),
        });
        return Ok(Exit::Done);
    }
    if planned.is_up() {
        let needs = Needs {
            triggers: planned.steps.iter().any(|(number, _)| *number > RING),
            policies: planned.steps.iter().any(|(_, step)| step.manages_accounts()),
        };
        let db = session.connect(Access::Read).await?;
        require_ready(&db, &session.config.policy_options(None)?, needs).await?;
    }
    let StepsRun { steps, epoch } = carry_out(&planned, pace, session, output).await?;
    let (Target::Up(version) | Target::Down(version)) = planned.target;
    let pin = epoch.filter(|_| planned.is_up());
    output.result(&json!({ "ran": steps, "version": version, "minimum_epoch": pin }), || {
        done(version, pin)
    });
    Ok(Exit::Done)
}

/// Goes to the newest version, and prints no result.
pub(super) async fn go_up_all_the_way(session: &Session, output: &Output) -> Result<(), Failure> {
    let planned = Planned::read(&Wanted::Up(None), session).await?;
    if !planned.steps.is_empty() {
        carry_out(&planned, &Pace::default(), session, output).await?;
    }
    Ok(())
}

/// The steps that ran, and the manifest's epoch after them, where there is a ring.
struct StepsRun {
    steps: Vec<String>,
    epoch: Option<Epoch>,
}

/// Asks where a step destroys something, then runs the steps under the lock.
async fn carry_out(
    planned: &Planned,
    pace: &Pace,
    session: &Session,
    output: &Output,
) -> Result<StepsRun, Failure> {
    if !planned.is_up() || planned.steps.iter().any(|(_, step)| step.up_destroys().is_some()) {
        confirm(session, &planned.destroys())?;
    }
    let root = if planned.steps.iter().any(|(_, step)| step.needs_keys()) {
        Some(session.roots().await?)
    } else {
        None
    };

    let options = session.config.policy_options(None)?;
    let db = session.connect(Access::Schema).await?;
    let epochs = Epochs::begin(planned, root.clone(), session, &db).await?;
    let lock = session.lock(&db).await?;
    if let Err(refused) = way_back::require(planned, &db, root.as_ref(), session).await {
        release(lock).await;
        epochs.end(session, &db).await;
        return Err(refused);
    }
    let grants = Arc::new(PolicySteps::new(root.clone(), session.floor()?, options, lock.clone()));
    let backfill: Arc<dyn Backfill> = Arc::new(KeyedSteps::new(
        root.clone(),
        session.floor()?,
        lock.clone(),
        pace.options(session, output),
    ));
    let adopted = schema::adopted(&db).await?;
    let migrator = Migrator { backfill, grants, adopted };
    let ran = run_steps(&db, &lock, migrator, planned.target, session.stop.clone(), output).await;
    release(lock).await;
    let epoch = epochs.end(session, &db).await;
    Ok(StepsRun { steps: ran?, epoch })
}

fn done(version: usize, pin: Option<Epoch>) -> String {
    let at = format!("the database is at version {version}");
    let Some(epoch) = pin else { return at };
    format!(
        "{at}\nto refuse older copies of it on every host, pin its epoch in the configuration:\n\n[keys]\nminimum_epoch = {epoch}"
    )
}

/// The step that makes the ring.
const RING: usize = 2;

/// Takes the migrator with it: a copy of the lock that outlived the run would keep it from being given back.
async fn run_steps(
    db: &DatabaseConnection,
    lock: &Arc<Lock>,
    migrator: Migrator,
    target: Target,
    stop: Stop,
    output: &Output,
) -> Result<Vec<String>, Failure> {
    let runner = Runner::new(db.clone(), lock.clone(), migrator.steps(), stop);
    drop(migrator);
    let (progress, begun) = (output.progress(), matches!(target, Target::Up(_)));
    let on_step = move |name: &str, _: bool| {
        if progress {
            super::output::write_err(&format!("{} {name}", if begun { "up  " } else { "down" }));
        }
    };
    Ok(runner.go(target, &on_step).await?)
}

/// The steps, for looking at them.
fn known_steps() -> Vec<Box<dyn Step>> {
    Migrator::without_keys().steps()
}

/// The steps as this database has them.
async fn steps_of(db: &DatabaseConnection) -> Result<Vec<Box<dyn Step>>, Failure> {
    Ok(Migrator {
        backfill: Arc::new(NoKeys),
        grants: Arc::new(NoKeys),
        adopted: schema::adopted(db).await?,
    }
    .steps())
}
