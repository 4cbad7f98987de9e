//! `strongroom credential …`: in the database, or through a service.

mod local;
mod remote;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::secret_argument;
use super::session::Session;
use super::text::Text;
use super::typed::quoted;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: remote::ServiceArguments,
    #[command(subcommand)]
    command: Command,
}

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
    /// A JSON object of whatever else belongs to it
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

pub(super) async fn run(
    arguments: Arguments,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let Arguments { service, command } = arguments;
    let service = service.client(session.config.service())?;
    match command {
        Command::Create(create) => {
            let create = create.read()?;
            let made = match service {
                Some(service) => service.create(create).await?,
                None => local::create(create, session).await?,
            };
            output.result(&made, || text(&made));
            output.note("the secret is shown this once");
        }
        Command::Show { which, reveal } => {
            let which = which.read()?;
            let place = Place { service, session };
            let found = match place.show(&which, reveal).await {
                Err(failure) if failure.code == "not_found" => {
                    place.show_by_other_name(&which, reveal, failure, output).await?
                }
                found => found?,
            };
            output.result(&found, || text(&found));
        }
        Command::List(list) => {
            let page = match service {
                Some(service) => service.list(list).await?,
                None => local::list(list, session).await?,
            };
            output.result(&page, || list_text(&page));
        }
        Command::Delete { which } => {
            let which = which.read()?;
            let place = Place { service, session };
            match place.delete(&which).await {
                Err(failure) if failure.code == "not_found" => {
                    return Err(place.with_other_name(&which, failure).await);
                }
                deleted => deleted?,
            }
            output.result(&json!({ "deleted": true }), || "deleted".to_owned());
        }
    }
    Ok(Exit::Done)
}

/// Where credentials are.
struct Place<'a> {
    service: Option<remote::Client>,
    session: &'a Session,
}

impl Place<'_> {
    async fn show(&self, which: &Named, reveal: bool) -> Result<Value, Failure> {
        match &self.service {
            Some(service) => service.clone().show(which, reveal).await,
            None => local::show(which, reveal, self.session).await,
        }
    }

    async fn delete(&self, which: &Named) -> Result<(), Failure> {
        match &self.service {
            Some(service) => service.clone().delete(which).await,
            None => local::delete(which, self.session).await,
        }
    }

    /// Both names look alike: an access key that nothing has may be an id.
    async fn show_by_other_name(
        &self,
        which: &Named,
        reveal: bool,
        failure: Failure,
        output: &Output,
    ) -> Result<Value, Failure> {
        let Named::Access(access) = which else {
            return Err(self.with_other_name(which, failure).await);
        };
        let found =
            self.show(&Named::Id(access.as_str().to_owned()), reveal).await.map_err(|_| failure)?;
        output.note("found by its id: nothing has that access key");
        Ok(found)
    }

    /// Nothing is removed by a guess.
    async fn with_other_name(&self, which: &Named, failure: Failure) -> Failure {
        match which {
            Named::Access(access) => {
                match self.show(&Named::Id(access.as_str().to_owned()), false).await {
                    Ok(_) => failure.help(format!(
                        "that is an id: `strongroom credential delete --id {}`",
                        quoted(access)
                    )),
                    Err(_) => failure,
                }
            }
            Named::Id(id) => {
                match self.show(&Named::Access(Zeroizing::new(id.clone())), false).await {
                    Ok(_) => failure.help("that is an access key: give it without --id"),
                    Err(_) => failure,
                }
            }
        }
    }
}

/// What is to be stored; what is missing is made by whoever stores it.
struct Wanted {
    user_id: String,
    project_id: Option<String>,
    kind: String,
    access: Option<Zeroizing<String>>,
    secret: Option<Zeroizing<String>>,
    extra: Option<String>,
}

impl Create {
    fn read(self) -> Result<Wanted, Failure> {
        if self.access.as_deref() == Some("-")
            && self.secret_file.as_deref() == Some(std::path::Path::new("-"))
        {
            return Err(Failure::new(
                Exit::Usage,
                "usage",
                "only one of --access and --secret-file can be standard input",
            ));
        }
        let access = self.access.as_deref().map(secret_argument::line).transpose()?;
        let secret = self.secret_file.as_deref().map(secret_argument::file).transpose()?;
        if self
            .extra
            .as_deref()
            .is_some_and(|extra| serde_json::from_str::<Map<String, Value>>(extra).is_err())
        {
            return Err(Failure::new(Exit::Usage, "usage", "--extra is not a JSON object"));
        }
        let Self { user_id, project_id, kind, extra, .. } = self;
        Ok(Wanted { user_id, project_id, kind, access, secret, extra })
    }
}

/// A credential, by one of its two names.
enum Named {
    Access(Zeroizing<String>),
    Id(String),
}

impl Which {
    fn read(self) -> Result<Named, Failure> {
        match self {
            Self { access: Some(access), .. } => Ok(Named::Access(secret_argument::line(&access)?)),
            Self { id, .. } => Ok(Named::Id(id.unwrap_or_default())),
        }
    }
}

fn text(document: &Value) -> Text {
    let lines =
        ["id", "user_id", "project_id", "type", "access", "secret"].into_iter().map(|name| {
            let value = document.get(name).and_then(Value::as_str).unwrap_or("-");
            format!("{name:<11} {value}")
        });
    Text::of(lines.collect())
}

fn list_text(page: &Value) -> Text {
    let of =
        |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let rows = page.get("credentials").and_then(Value::as_array).into_iter().flatten();
    let mut lines: Vec<String> = rows
        .map(|row| {
            format!(
                "{}  {:<6} user {}  project {}",
                of(row, "id"),
                of(row, "type"),
                of(row, "user_id"),
                of(row, "project_id")
            )
        })
        .collect();
    if lines.is_empty() {
        lines.push("no credentials".to_owned());
    }
    lines.extend(
        page.get("next").and_then(Value::as_str).map(|next| format!("more: --after {next}")),
    );
    Text::of(lines)
}
