//! What a person is told when something goes wrong: what, why, and what to type next.

mod credentials;
mod database;
mod files;
mod keys;
mod policy;
mod runs;
mod tls;

use sea_orm::DbErr;

use crate::cli::exit::Exit;
use crate::cli::typed;
use crate::config::{ConfigError, KeystoneConfigError};
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
            let help = format!(
                "read it, then name it: `--config {}`",
                typed::quoted(&file.display().to_string())
            );
            return Self::refused("configuration_foreign", &error).help(help);
        }
        let help = match &error {
            ConfigError::Address(address) => address.cure(),
            _ => "strongroom.example.toml lists every setting".into(),
        };
        Self::new(Exit::Usage, "configuration", error).help(help)
    }
}

impl From<KeystoneConfigError> for Failure {
    fn from(error: KeystoneConfigError) -> Self {
        let exit = if matches!(error, KeystoneConfigError::Unreadable { .. }) {
            Exit::Failed
        } else {
            Exit::Usage
        };
        Self::new(exit, "keystone_config", error)
            .help("`--keystone-config` is Keystone's own file, such as /etc/keystone/keystone.conf")
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        if let Some(unfit) = db::configuration::<db::UnfitDatabase>(&error) {
            return Self::refused("database_unfit", unfit).help(unfit.help());
        }
        database::failure(&error, database::OURS)
    }
}
