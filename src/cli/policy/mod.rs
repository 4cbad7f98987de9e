//! `strongroom policy …`.

mod apply;
mod explain;
mod login;
mod look;
mod matrix;
mod plan;
mod plan_file;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use sea_orm::DatabaseConnection;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use strongroom::internal::component;
use strongroom::internal::db::{self, Access};
use strongroom::internal::policy::{GrantError, Plan, Policy, Site, stored};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A policy file of your own: its components and tables are added to the compiled-in policy [default: `policy.file`]
    #[arg(long, global = true, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  strongroom policy show                              who may do what, as a table, with what differs on the server
  strongroom policy plan --policy mine.toml --out plan.json
  strongroom policy apply plan.json --policy mine.toml    exactly that, or nothing if anything changed meanwhile
  strongroom policy check                             exit 3 when the server differs from the policy in force
  strongroom policy explain compute credential.secret_key
  strongroom policy login compute --reveal            the login that compute's programs use now
  strongroom policy rotate-login compute              another one, without a failed request";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the policy in force as a table, and mark where the server differs
    Show,
    /// Show the SQL that would bring the policy about; nothing is done
    Plan {
        /// Write the plan into a file that `apply` takes, bound to this server, this policy and what the server holds now
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make the server follow the policy
    Apply {
        /// A plan that was written by `plan --out`; refused if the server or the policy changed since
        #[arg(value_name = "PLAN")]
        plan: Option<PathBuf>,
    },
    /// Compare the server with the policy in force; exit with 3 when it differs
    Check,
    /// Say whether a component may read, write or change a column, and by which path
    Explain {
        /// The component
        component: String,
        /// The column: TABLE.COLUMN, or the name of a sealed value such as `credential.secret_key`
        #[arg(value_name = "TABLE.COLUMN")]
        column: String,
    },
    /// Show the login that a component's programs use now
    Login {
        /// The component
        component: String,
        /// Show the password too
        #[arg(long)]
        reveal: bool,
    },
    /// Give a component another login and password, while its programs run; the old one's sessions are gone at the end
    RotateLogin(login::RotateLogin),
}

pub(super) async fn run(
    arguments: Arguments,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let file = arguments.policy.as_deref();
    let looks = !matches!(arguments.command, Command::Apply { .. } | Command::RotateLogin(_));
    let context =
        PolicyContext::open(session, file, if looks { Access::Read } else { Access::Write })
            .await?;
    match arguments.command {
        Command::Show => look::show(&context, output).await,
        Command::Plan { out } => plan::run(&context, out.as_deref(), output).await,
        Command::Apply { plan } => apply::run(&context, plan.as_deref(), session, output).await,
        Command::Check => look::check(&context, output).await,
        Command::Explain { component, column } => {
            explain::run(&context, &component, &column, output).await
        }
        Command::Login { component, reveal } => {
            login::show(&context, &component, reveal, session, output).await
        }
        Command::RotateLogin(rotate) => login::rotate(&context, &rotate, session, output).await,
    }
}

/// What every command of the group needs.
struct PolicyContext {
    db: DatabaseConnection,
    site: Site,
}

impl PolicyContext {
    async fn open(
        session: &Session,
        file: Option<&std::path::Path>,
        access: Access,
    ) -> Result<Self, Failure> {
        let options = session.config.policy_options(file)?;
        let db = session.connect_to_ours(access).await?;
        if !db::has_table(&db, "strongroom_policy").await? {
            return Err(GrantError::NoPolicy.into());
        }
        let site = Site::load(&db, session.ring_access().await?, &options).await?;
        Ok(Self { db, site })
    }

    /// What should be in force: the newest compiled-in policy with the operator's own file.
    fn wanted(&self) -> Result<Policy, GrantError> {
        self.site.options.newest(&self.site.catalog)
    }

    /// What is in force.
    async fn in_force(&self) -> Result<Policy, GrantError> {
        stored::in_force(&self.db, &self.site.keys).await?.ok_or(GrantError::NoPolicy)
    }

    async fn plan(&self, policy: &Policy) -> Result<Plan, GrantError> {
        component::plan(&self.db, &self.site, policy).await
    }
}

/// The run lock, with a wait for whoever is quick: applying twice at once is no mistake.
async fn lock_patiently(
    session: &Session,
    db: &DatabaseConnection,
) -> Result<Arc<db::Lock>, Failure> {
    let begun = tokio::time::Instant::now();
    loop {
        match session.lock(db).await {
            Err(failure) if failure.exit == Exit::Locked && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);
