//! What a person is told when something goes wrong: what, why, and what to type next.

mod credentials;
mod files;
mod keys;
mod policy;
mod runs;
mod tls;

use sea_orm::DbErr;

use crate::cli::exit::Exit;
use crate::cli::typed;
use crate::config::ConfigError;
use crate::db;

/// An error on its way out.
#[derive(Debug)]
pub(in crate::cli) struct Failure {
    pub(in crate::cli) exit: Exit,
    /// A word that programs can rely on.
    pub(in crate::cli) code: &'static str,
    pub(in crate::cli) message: String,
    pub(in crate::cli) help: Option<String>,
}

impl Failure {
    #[expect(clippy::needless_pass_by_value, reason = "an error is handed over for good")]
    pub(in crate::cli) fn new(exit: Exit, code: &'static str, message: impl ToString) -> Self {
        Self { exit, code, message: message.to_string(), help: None }
    }

    pub(in crate::cli) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(in crate::cli) fn refused(code: &'static str, message: impl ToString) -> Self {
        Self::new(Exit::Refused, code, message)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        if let Some(file) = error.refused_file() {
            return Self::refused(files::code_of(file), &error).help(files::help_of(file));
        }
        if let ConfigError::Foreign { file, .. } = &error {
            let help = format!("read it, then name it: `--config {}`", typed::quoted(&file.display().to_string()));
            return Self::refused("configuration_foreign", &error).help(help);
        }
        Self::new(Exit::Usage, "configuration", error).help("strongroom.example.toml lists every setting")
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        if let Some(failure) = tls::failure(&error) {
            return failure;
        }
        if db::is_missing_database(&error) {
            let failure =
                Self::new(Exit::Unreachable, "database_missing", format!("the database does not exist: {}", line(&error)));
            return failure.help("make it with `strongroom init`");
        }
        if db::is_unreachable(&error) {
            let failure =
                Self::new(Exit::Unreachable, "database_unreachable", format!("the database cannot be reached: {}", line(&error)));
            return failure.help("check `database.url` in the configuration, or STRONGROOM__DATABASE__URL");
        }
        if db::is_transient(&error) {
            let failure = Self::new(Exit::Failed, "database_busy", format!("the database stayed busy: {}", line(&error)));
            return failure.help("the same command again goes on where this one stopped");
        }
        Self::new(Exit::Failed, "database", format!("the database: {}", line(&error)))
    }
}

/// Drivers put their own cause behind several prefixes; the last says it.
fn line(error: &DbErr) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}
