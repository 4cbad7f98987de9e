//! `strongroom import …`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::exit::Exit;
use super::failure::Failure;
use super::keystone::Given;
use super::output::Output;
use super::progress;
use super::session::{Session, release};
use super::text::Text;
use strongroom::credential::keystone::{self, ImportOptions, KeyRepository, Quarantined, Report};
use strongroom::internal::db::{self, Access};
use strongroom::internal::reseal::{self, Event};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take over the credentials of a Keystone database
    #[command(after_help = EXAMPLES, override_usage = USAGE)]
    Keystone(Keystone),
}

const USAGE: &str = "\
strongroom import keystone [OPTIONS] --from <URL> --key-repository <DIR>
       strongroom import keystone [OPTIONS] --keystone-config <FILE>";

const EXAMPLES: &str = "\
Examples:
  strongroom import keystone --from sqlite://keystone.sqlite --key-repository /etc/keystone/credential-keys --dry-run
  cat keystone-url | strongroom import keystone --from - --key-repository /etc/keystone/credential-keys
  strongroom import keystone --keystone-config /etc/keystone/keystone.conf --update

Addresses may have SQLAlchemy's form, such as mysql+pymysql://. Rows that were imported before are
left alone; --update replaces those that differ. Rows that cannot be read are named with the cause,
and the exit code is 3.";

#[derive(Debug, Args)]
#[expect(
    clippy::struct_field_names,
    clippy::struct_excessive_bools,
    reason = "fields are the options, as they are typed"
)]
pub(crate) struct Keystone {
    /// Keystone's database; `-` reads the address from standard input
    #[arg(long, value_name = "URL", required_unless_present_any = ["from_file", "keystone_config"])]
    from: Option<String>,
    /// A file with that address
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    from_file: Option<PathBuf>,
    /// Keystone's own configuration file, for its `[database] connection` and `[credential] key_repository`
    #[arg(long, value_name = "FILE")]
    keystone_config: Option<PathBuf>,
    /// Keystone's `[credential] key_repository`
    #[arg(long, value_name = "DIR", required_unless_present = "keystone_config")]
    key_repository: Option<PathBuf>,
    /// Take Keystone's values for rows that are here and say something else, and count what Keystone no longer has
    #[arg(long)]
    update: bool,
    /// Read and decrypt, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Take rows under Keystone's all-zero key too
    #[arg(long)]
    accept_null_key: bool,
    /// Take EC2 rows whose id is not the SHA-256 of their access key too; an export gives them back under that id
    #[arg(long)]
    accept_id_mismatch: bool,
}

pub(super) async fn run(
    command: Command,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let Command::Keystone(keystone) = command;
    let there = keystone.given().find()?;
    let repository = Arc::new(KeyRepository::read(&there.key_repository)?);
    let address = there.address.with_tls(session.config.database_tls()?);
    let named = |error| Failure::of_import(error, there.named_by);
    let source = |error| named(keystone::ImportError::Source(error));
    let from = session.connect_to(&address, Access::Read).await.map_err(source)?;
    let store = session.store(if keystone.dry_run { Access::Read } else { Access::Write }).await?;
    store.phase().await?;
    let db = session.connect(Access::Write).await?;
    let lock = if keystone.dry_run { None } else { Some(session.lock(&db).await?) };

    let listener = progress::listener(output);
    let rows = count(&from).await.map_err(source)?;
    listener(Event::Started { work: "importing", rows });
    let stop = session.stop.clone();
    let seen = std::sync::atomic::AtomicU64::new(0);
    let go_on = |read: u64| {
        let before = seen.swap(read, std::sync::atomic::Ordering::Relaxed);
        listener(Event::Advanced { rows: read.saturating_sub(before) });
        !stop.is_requested() && lock.as_ref().is_none_or(|lock| lock.check().is_ok())
    };
    let options = ImportOptions {
        dry_run: keystone.dry_run,
        accept_null_key: keystone.accept_null_key,
        accept_id_mismatch: keystone.accept_id_mismatch,
        update: keystone.update,
    };
    let report = keystone::import(&from, repository, &store, options, &go_on).await;
    listener(Event::Finished);
    let recorded = match (&lock, &report) {
        (Some(_), Ok(report)) => record(&db, report).await,
        _ => Ok(()),
    };
    let held = lock.as_ref().map_or(Ok(()), |lock| lock.check());
    if let Some(lock) = lock {
        release(lock).await;
    }
    held?;
    recorded?;
    let report = report.map_err(named)?;
    output.result(&report, || text(&report, keystone.dry_run));
    Ok(if report.quarantined.is_empty() { Exit::Done } else { Exit::Left })
}

/// Rows of a table `credential`, whose ever it is.
pub(super) async fn count(db: &sea_orm::DatabaseConnection) -> Result<u64, sea_orm::DbErr> {
    use sea_orm::{ConnectionTrait as _, Statement};
    let statement =
        Statement::from_string(db.get_database_backend(), "SELECT count(*) AS n FROM credential");
    let row = db.query_one_raw(statement).await?;
    let n: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(n.unsigned_abs())
}

/// Under which Keystone's rows stand in quarantine.
const QUARANTINE_NAME: &str = "keystone.credential";

/// Once there is a ring there is a quarantine to name these rows in.
async fn record(db: &sea_orm::DatabaseConnection, report: &Report) -> Result<(), Failure> {
    if !db::has_table(db, "strongroom_quarantine").await? {
        return Ok(());
    }
    let run = Uuid::new_v4().to_string();
    let rows = report
        .quarantined
        .iter()
        .map(|bad| (bad.id.clone(), "encrypted_blob".to_owned(), bad.reason.clone()));
    reseal::record_quarantine(db, QUARANTINE_NAME, &run, rows).await?;
    Ok(reseal::forget_older_quarantine(db, QUARANTINE_NAME, &run).await?)
}

fn text(report: &Report, dry_run: bool) -> Text {
    let mut lines: Vec<String> = report.quarantined.iter().map(line).collect();
    let (imported, updated) =
        if dry_run { ("would be imported", "would be updated") } else { ("imported", "updated") };
    let updated = report.updated.map_or_else(String::new, |rows| format!("{rows} {updated}, "));
    lines.push(format!(
        "{} read: {} {imported}, {updated}{} unchanged, {} in quarantine",
        report.read,
        report.imported,
        report.unchanged,
        report.quarantined.len()
    ));
    if let Some(rows @ 1..) = report.missing_there {
        lines.push(format!("{rows} here that Keystone does not have: deleted there, or made here"));
    }
    Text::of(lines)
}

fn line(bad: &Quarantined) -> String {
    let cause = bad.cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
    format!("{}  {}{cause}", bad.id, bad.reason)
}

impl Keystone {
    fn given(&self) -> Given<'_> {
        Given {
            option: "--from",
            url: self.from.as_deref(),
            url_file: self.from_file.as_deref(),
            config: self.keystone_config.as_deref(),
            key_repository: self.key_repository.as_deref(),
        }
    }
}
