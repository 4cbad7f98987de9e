//! Where Keystone's rows and keys are, as `import` and `export` are told.

use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::failure::Failure;
use super::secret_argument;
use crate::config::{ConfigError, KeystoneConfig};
use strongroom::db::Address;

/// What was given on the command line.
pub(super) struct Given<'a> {
    /// `--from` or `--to`.
    pub(super) option: &'static str,
    pub(super) url: Option<&'a str>,
    pub(super) url_file: Option<&'a Path>,
    pub(super) config: Option<&'a Path>,
    pub(super) key_repository: Option<&'a Path>,
}

/// A database, and the folder of its keys.
pub(super) struct Keystone {
    pub(super) address: Address,
    pub(super) key_repository: PathBuf,
    /// What names the database, for errors.
    pub(super) named_by: &'static str,
}

impl Given<'_> {
    /// Reads Keystone's configuration for what no option says.
    pub(super) fn find(&self) -> Result<Keystone, Failure> {
        let config = self.config.map(KeystoneConfig::read).transpose()?;
        let key_repository = match (self.key_repository, &config) {
            (Some(folder), _) => folder.to_owned(),
            (None, Some(config)) => config.key_repository.clone(),
            (None, None) => return Err(usage("--key-repository or --keystone-config is needed")),
        };
        let (address, named_by) = match secret_argument::text_of(self.url, self.url_file)? {
            Some(text) => (address(text.trim())?, self.option),
            None => (address_in(config.as_ref(), self.option)?, "[database] connection"),
        };
        Ok(Keystone { address, key_repository, named_by })
    }
}

fn address_in(config: Option<&KeystoneConfig>, option: &str) -> Result<Address, Failure> {
    let Some(config) = config else {
        return Err(usage(&format!("{option}, {option}-file or --keystone-config is needed")));
    };
    let text = config.connection.as_ref().ok_or_else(|| {
        let what = "Keystone's configuration sets no `[database] connection`";
        Failure::new(Exit::Usage, "configuration", what)
            .help(format!("give the address with `{option}-file FILE`"))
    })?;
    Ok(Address::from_sqlalchemy(text).map_err(ConfigError::from)?)
}

/// Three slashes are an absolute path here and a relative one for SQLAlchemy: the file that is there decides.
fn address(text: &str) -> Result<Address, Failure> {
    let path =
        text.strip_prefix("sqlite:///").map(|rest| rest.split('?').next().unwrap_or_default());
    let is_relative =
        path.is_some_and(|path| !Path::new("/").join(path).exists() && Path::new(path).is_file());
    let read =
        if is_relative { Address::from_sqlalchemy(text) } else { Address::of_either_form(text) };
    Ok(read.map_err(ConfigError::from)?)
}

fn usage(message: &str) -> Failure {
    Failure::new(Exit::Usage, "usage", message)
}
