//! `strongroom credential …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::secret_argument;
use super::session::Session;
use crate::credential::{Credential, Filter, Listed, NewCredential, Page};
use crate::db::Access;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store a credential; makes the access key and the secret where they are not given
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Create),
    /// Show a credential, found by its access key or id
    Show {
        #[command(flatten)]
        which: Which,
        /// Show the secret too
        #[arg(long)]
        reveal: bool,
    },
    /// List credentials; opens nothing
    List(List),
    /// Remove a credential
    Delete {
        #[command(flatten)]
        which: Which,
    },
}

const CREATE_EXAMPLES: &str = "\
Examples:
  strongroom credential create --user-id alice --project-id web
  printf %s \"$SECRET\" | strongroom credential create --user-id alice --type totp --secret-file -

The secret is shown once. A file's bytes are taken exactly as they are, a newline at the end too.";

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Whose it is
    #[arg(long, value_name = "U")]
    user_id: String,
    /// The project it belongs to
    #[arg(long, value_name = "P")]
    project_id: Option<String>,
    /// What it is for
    #[arg(long = "type", value_name = "T", default_value = "ec2")]
    kind: String,
    /// The access key; `-` reads it from standard input
    #[arg(long, value_name = "A")]
    access: Option<String>,
    /// A file with the secret; `-` is standard input
    #[arg(long, value_name = "F")]
    secret_file: Option<PathBuf>,
    /// JSON of whatever else belongs to it
    #[arg(long, value_name = "JSON")]
    extra: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// The access key; `-` reads it from standard input
    #[arg(value_name = "ACCESS")]
    access: Option<String>,
    /// The id
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this user's
    #[arg(long, value_name = "U")]
    user_id: Option<String>,
    /// Only this project's
    #[arg(long, value_name = "P")]
    project_id: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: u64,
    /// Only those after this id: the `next` of the page before
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

pub(super) async fn run(command: Command, session: &Session, output: &Output) -> Result<Exit, Failure> {
    match command {
        Command::Create(create) => run_create(create, session, output).await,
        Command::Show { which, reveal } => show(which, reveal, session, output).await,
        Command::List(list) => run_list(list, session, output).await,
        Command::Delete { which } => delete(which, session, output).await,
    }
}

async fn run_create(create: Create, session: &Session, output: &Output) -> Result<Exit, Failure> {
    if create.access.as_deref() == Some("-") && create.secret_file.as_deref() == Some(std::path::Path::new("-")) {
        return Err(Failure::new(Exit::Usage, "usage", "only one of --access and --secret-file can be standard input"));
    }
    let mut new = NewCredential::make(create.user_id, create.kind)?;
    new.project_id = create.project_id;
    new.extra = create.extra;
    if let Some(access) = create.access {
        new.access = Some(secret_argument::line(&access)?);
    }
    if let Some(file) = create.secret_file {
        new.secret = secret_argument::file(&file)?;
    }
    session.store(Access::Write).await?.create(&new).await?;
    let (access, secret) = (new.access.as_deref().map(String::as_str), Some(new.secret.as_str()));
    let made = document(&new.id, &new.user_id, new.project_id.as_deref(), &new.kind, access, secret);
    output.result(&made, || text(&made));
    output.note("the secret is shown this once");
    Ok(Exit::Done)
}

async fn show(which: Which, reveal: bool, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let store = session.store(Access::Read).await?;
    let Credential { id, user_id, project_id, kind, access, secret, .. } = match which {
        Which { access: Some(access), .. } => store.find(&secret_argument::line(&access)?, reveal).await?,
        Which { id, .. } => store.find_by_id(&id.unwrap_or_default(), reveal).await?,
    };
    let (access, secret) = (access.as_deref().map(String::as_str), secret.as_deref().map(String::as_str));
    let found = document(&id, &user_id, project_id.as_deref(), &kind, access, secret);
    output.result(&found, || text(&found));
    Ok(Exit::Done)
}

fn document(id: &str, user_id: &str, project_id: Option<&str>, kind: &str, access: Option<&str>, secret: Option<&str>) -> Value {
    json!({ "id": id, "user_id": user_id, "project_id": project_id, "type": kind, "access": access, "secret": secret })
}

fn text(document: &Value) -> String {
    let lines = ["id", "user_id", "project_id", "type", "access", "secret"].into_iter().map(|name| {
        let value = document.get(name).and_then(Value::as_str).unwrap_or("-");
        format!("{name:<11} {value}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn run_list(list: List, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let filter = Filter { user_id: list.user_id, project_id: list.project_id, after: list.after };
    let page = session.keyless_store(Access::Read).await?.list(&filter, list.limit).await?;
    let credentials: Vec<_> = page.credentials.iter().map(listed).collect();
    output.result(&json!({ "credentials": credentials, "next": page.next }), || list_text(&page));
    Ok(Exit::Done)
}

fn listed(row: &Listed) -> Value {
    json!({
        "id": row.id,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "type": row.r#type,
        "created_at": row.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
    })
}

fn list_text(page: &Page) -> String {
    let mut lines: Vec<String> = page
        .credentials
        .iter()
        .map(|row| {
            format!("{}  {:<6} user {}  project {}", row.id, row.r#type, row.user_id, row.project_id.as_deref().unwrap_or("-"))
        })
        .collect();
    if lines.is_empty() {
        lines.push("no credentials".to_owned());
    }
    lines.extend(page.next.as_ref().map(|next| format!("more: --after {next}")));
    lines.join("\n")
}

async fn delete(which: Which, session: &Session, output: &Output) -> Result<Exit, Failure> {
    match which {
        Which { access: Some(access), .. } => {
            session.store(Access::Write).await?.delete(&secret_argument::line(&access)?).await?;
        }
        Which { id, .. } => session.keyless_store(Access::Write).await?.delete_by_id(&id.unwrap_or_default()).await?,
    }
    output.result(&json!({ "deleted": true }), || "deleted".to_owned());
    Ok(Exit::Done)
}
