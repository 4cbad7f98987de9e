//! What a person is told when something goes wrong: what, why, and what to type next.

mod credentials;
mod database;
mod files;
mod keys;
#[cfg(test)]
mod named;
mod policy;
mod runs;
mod tls;

use sea_orm::DbErr;

use crate::config::{ConfigError, KeystoneConfigError};
use crate::exit::Exit;
use crate::typed;
use strongroom::internal::db;

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// A word that programs can rely on.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Failure {
    #[expect(clippy::needless_pass_by_value, reason = "an error is handed over for good")]
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl ToString) -> Self {
        Self { exit, code, message: message.to_string(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// An error of a kind that a later version of the library brings.
    pub(crate) fn unnamed(message: impl ToString) -> Self {
        Self::new(Exit::Failed, "failed", message)
            .help("`strongroom doctor` looks for what is wrong")
    }

    pub(crate) fn refused(code: &'static str, message: impl ToString) -> Self {
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
