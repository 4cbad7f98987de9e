//! `strongroom export …`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use sea_orm::DatabaseConnection;

use super::confirm::confirm;
use super::exit::Exit;
use super::failure::Failure;
use super::import::count;
use super::keystone::Given;
use super::output::Output;
use super::progress;
use super::session::Session;
use super::text::Text;
use strongroom::credential::Store;
use strongroom::credential::keystone::{
    self, ExportError, ExportOptions, ExportReport, KeyRepository, Target,
};
use strongroom::db::Access;
use strongroom::reseal::Event;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the credentials to a Keystone database
    #[command(after_help = EXAMPLES, override_usage = USAGE)]
    Keystone(Keystone),
}

const USAGE: &str = "\
strongroom export keystone [OPTIONS] --to <URL> --key-repository <DIR>
       strongroom export keystone [OPTIONS] --keystone-config <FILE>";

const EXAMPLES: &str = "\
Examples:
  strongroom export keystone --to sqlite://keystone.sqlite --key-repository credential-keys --dry-run
  cat keystone-url | strongroom export keystone --to - --key-repository /etc/keystone/credential-keys
  strongroom export keystone --keystone-config /etc/keystone/keystone.conf --dry-run

Addresses may have SQLAlchemy's form, such as mysql+pymysql://. Adds and updates rows of Keystone's `credential` table, and deletes none. A row that says something
else there is overwritten only with --yes; without it nothing is written, and the exit code is 4.
Credentials that do not open are named, and the exit code is 3.";

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as the options are")]
pub(crate) struct Keystone {
    /// Keystone's database; `-` reads the address from standard input
    #[arg(long, value_name = "URL", required_unless_present_any = ["to_file", "keystone_config"])]
    to: Option<String>,
    /// A file with that address
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    to_file: Option<PathBuf>,
    /// Keystone's own configuration file, for its `[database] connection` and `[credential] key_repository`
    #[arg(long, value_name = "FILE")]
    keystone_config: Option<PathBuf>,
    /// Keystone's `[credential] key_repository`; its newest key encrypts
    #[arg(long, value_name = "DIR", required_unless_present = "keystone_config")]
    key_repository: Option<PathBuf>,
    /// Open and compare, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(
    command: Command,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let Command::Keystone(keystone) = command;
    let there = keystone.given().find()?;
    let repository = KeyRepository::read(&there.key_repository)?;
    let address = there.address.with_tls(session.config.database_tls()?);
    let access = if keystone.dry_run { Access::Read } else { Access::Guest };
    let named = |error| Failure::of_export(error, there.named_by);
    let to = session
        .connect_to(&address, access)
        .await
        .map_err(|error| named(ExportError::Target(error)))?;
    let export = Export {
        target: Target::new(to, repository)?,
        store: session.store(Access::Read).await?,
        ours: session.connect(Access::Read).await?,
        session,
        output,
    };
    export.store.phase().await?;
    let options = ExportOptions { dry_run: keystone.dry_run, overwrite: session.yes() };
    let report = match export.run(options).await {
        Err(error @ ExportError::Differs { .. }) => {
            confirm(session, &[format!("overwriting what Keystone has: {error}")])?;
            export.run(ExportOptions { overwrite: true, ..options }).await.map_err(named)?
        }
        done => done.map_err(named)?,
    };
    output.result(&report, || text(&report, keystone.dry_run));
    Ok(if report.quarantined.is_empty() { Exit::Done } else { Exit::Left })
}

impl Keystone {
    fn given(&self) -> Given<'_> {
        Given {
            option: "--to",
            url: self.to.as_deref(),
            url_file: self.to_file.as_deref(),
            config: self.keystone_config.as_deref(),
            key_repository: self.key_repository.as_deref(),
        }
    }
}

struct Export<'a> {
    store: Store,
    target: Target,
    ours: DatabaseConnection,
    session: &'a Session,
    output: &'a Output,
}

impl Export<'_> {
    async fn run(&self, options: ExportOptions) -> Result<ExportReport, ExportError> {
        let listener = progress::listener(self.output);
        let passes = if options.dry_run || options.overwrite { 1 } else { 2 };
        let rows = count(&self.ours).await.map_err(|error| ExportError::Store(error.into()))?;
        listener(Event::Started { work: "exporting", rows: rows * passes });
        let advance: Arc<dyn Fn(Event) + Send + Sync> = listener.clone();
        let stop = self.session.stop.clone();
        let go_on = move |rows| {
            advance(Event::Advanced { rows });
            !stop.is_requested()
        };
        let report = keystone::export(&self.store, &self.target, options, &go_on).await;
        listener(Event::Finished);
        report
    }
}

fn text(report: &ExportReport, dry_run: bool) -> Text {
    let mut lines: Vec<String> =
        report.quarantined.iter().map(|bad| format!("{}  {}", bad.id, bad.reason)).collect();
    let (exported, updated) =
        if dry_run { ("would be exported", "would be updated") } else { ("exported", "updated") };
    lines.push(format!(
        "{} read: {} {exported}, {} {updated}, {} unchanged, {} in quarantine",
        report.read,
        report.exported,
        report.updated,
        report.unchanged,
        report.quarantined.len()
    ));
    if let Some(rows @ 1..) = report.would_overwrite {
        lines.push(format!(
            "{rows} say something else in Keystone, and are overwritten only with --yes"
        ));
    }
    Text::of(lines)
}
