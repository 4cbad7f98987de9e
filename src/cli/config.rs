//! The configuration: a TOML file, and the environment over it.
//!
//! Refuses settings that it does not know: a misspelt one must not be passed over in silence.

mod adopt;
mod file;
mod keys;
mod keystone;
mod list;
mod oslo;
mod secret;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Environment, File, FileFormat};
use serde::Deserialize;

use strongroom::component::SignatureReplay;
use strongroom::db::{Address, AddressError, DbBackend, Tls, TlsError};
use strongroom::internal::file::{self as files, FileError};
use strongroom::key::{EpochFloor, EpochMemory, KeySource};
use strongroom::policy::{ComponentKeys, Names, NodeAddresses, PolicyOptions};
use strongroom::schema::AdoptionOptions;

use adopt::Adopt;
use keys::Keys;
pub(crate) use keys::sealed_root_beside;
pub(crate) use keystone::{KeystoneConfig, KeystoneConfigError};
pub(crate) use server::{Identity, Server, Service};

/// Read when it exists and no other is named.
pub(crate) const DEFAULT_FILE: &str = "strongroom.toml";
const DEFAULT_URL: &str = "sqlite://strongroom.db?mode=rwc";

/// Everything that can be set.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// `[database]`
    database: Database,
    /// `[keys]`
    keys: Keys,
    /// `[adopt]`
    adopt: Adopt,
    /// `[policy]`
    policy: Policy,
    /// `[server]`
    server: Server,
    /// `[service]`
    service: Service,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Database {
    url: Option<String>,
    url_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    allow_insecure: bool,
    #[serde(deserialize_with = "list::deserialize")]
    nodes: Vec<String>,
}

/// The URL may hold a password.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// `[policy]`: what components may do.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Policy {
    file: Option<PathBuf>,
    prefix: Option<String>,
    password_files: BTreeMap<String, PathBuf>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// An unknown or malformed setting, or no such file.
    #[error("the configuration: {0}")]
    Invalid(String),
    /// A key source that this version does not have.
    #[error("`keys.source` is `{0}`: this version knows `file`, `passphrase` and `env`")]
    Source(String),
    /// A key source without what it needs.
    #[error("`{0}` is not set")]
    Unset(&'static str),
    /// A setting and its `_file` twin.
    #[error("both `{0}` and `{0}_file` are set")]
    Twice(&'static str),
    /// The file behind a `_file` setting, or the configuration itself, cannot be read or breaks the rule for secrets.
    #[error("`{0}` cannot be read: {1}")]
    Unreadable(&'static str, FileError),
    /// The configuration holds a secret, and is open to others.
    #[error("the configuration holds a secret (`{setting}`): {error}")]
    Open {
        /// The setting.
        setting: String,
        /// Why.
        error: FileError,
    },
    /// Nobody named it, and it may be somebody else's.
    #[error("{} is in the working directory, and {why}: it is not read unless it is named", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// Whose it is, or who can change it.
        why: String,
    },
    /// See [`AddressError`].
    #[error(transparent)]
    Address(#[from] AddressError),
    /// An entry of `database.nodes`.
    #[error("`database.nodes` has `{0}`, which is no `HOST:PORT`")]
    Node(String),
    /// `policy.prefix`.
    #[error(
        "`policy.prefix` must be a lowercase letter, then lowercase letters, digits and `_`, end with `_`, not begin with `sr_` and have at most 12 characters"
    )]
    Prefix,
    /// `database.ca_file`.
    #[error("`database.ca_file`: {0}")]
    Authorities(#[from] TlsError),
}

impl ConfigError {
    /// Why a file was refused, as distinct from one that is missing or unreadable.
    pub(crate) fn refused_file(&self) -> Option<&FileError> {
        match self {
            Self::Unreadable(
                _,
                FileError::Missing(_) | FileError::Io { .. } | FileError::NotText(_),
            ) => None,
            Self::Unreadable(_, error) | Self::Open { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl Config {
    /// Reads the file, if one is named or the default one is there, and the environment over it.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut sources = config::Config::builder();
        if let Some(text) = file::read(file)? {
            sources = sources.add_source(File::from_str(&text, FileFormat::Toml));
        }
        let environment =
            Environment::with_prefix("STRONGROOM").prefix_separator("__").separator("__");
        let read =
            sources.add_source(environment).build().and_then(config::Config::try_deserialize);
        read.map_err(|error| ConfigError::Invalid(without_values(&error)))
    }

    /// Reads this file alone; the environment changes nothing.
    pub(crate) fn read_file(file: &Path) -> Result<Self, ConfigError> {
        let read =
            config::Config::builder().add_source(File::from(file).format(FileFormat::Toml)).build();
        let read = read.and_then(config::Config::try_deserialize);
        read.map_err(|error| ConfigError::Invalid(without_values(&error)))
    }

    /// Where the database is: the setting, then `DATABASE_URL`, then a file in the working directory.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub(crate) fn database(&self) -> Result<Address, ConfigError> {
        let Database { url, url_file, .. } = &self.database;
        let in_environment =
            |setting: &str| std::env::var_os(format!("STRONGROOM__DATABASE__{setting}")).is_some();
        let named = match (url, url_file) {
            (Some(_), Some(_)) if in_environment("URL") == in_environment("URL_FILE") => {
                return Err(ConfigError::Twice("database.url"));
            }
            (Some(url), Some(_)) if in_environment("URL") => Some(url.clone()),
            (Some(url), None) => Some(url.clone()),
            (_, Some(file)) => {
                let text =
                    files::read_private(file, None).and_then(|bytes| files::text_of(bytes, file));
                let text =
                    text.map_err(|error| ConfigError::Unreadable("database.url_file", error))?;
                Some(text.trim().to_owned())
            }
            (None, None) => std::env::var("DATABASE_URL").ok(),
        };
        Ok(Address::parse(named.as_deref().unwrap_or(DEFAULT_URL))?.with_tls(self.database_tls()?))
    }

    /// How each node of a cluster is reached.
    pub(crate) fn nodes(&self) -> Result<NodeAddresses, ConfigError> {
        let (address, nodes) = (Arc::new(self.database()?), self.database.nodes.clone());
        match nodes.iter().find(|node| address.at_node(node).is_none()) {
            Some(wrong) if address.engine() != DbBackend::Sqlite => {
                Err(ConfigError::Node(wrong.clone()))
            }
            _ => Ok(NodeAddresses { address: Some(address), nodes }),
        }
    }

    /// What is asked of TLS to any database, ours or another's that is read or written.
    pub(crate) fn database_tls(&self) -> Result<Tls, ConfigError> {
        let tls = if self.database.allow_insecure {
            Tls::default().allow_insecure()
        } else {
            Tls::default()
        };
        Ok(match &self.database.ca_file {
            Some(file) => tls.with_ca_file(file)?,
            None => tls,
        })
    }

    /// Whether connections off loopback may go without TLS or its verification.
    pub(crate) fn allows_insecure(&self) -> bool {
        self.database.allow_insecure
    }

    /// Where the root key comes from.
    pub(crate) fn key_source(&self) -> Result<Box<dyn KeySource>, ConfigError> {
        self.keys.source()
    }

    /// Where the root key comes from that is next, or was before: while keys are wrapped under another root,
    /// programs that hold both go on.
    pub(crate) fn next_key_source(&self) -> Result<Option<Box<dyn KeySource>>, ConfigError> {
        self.keys.next_source()
    }

    /// The table that is to be adopted, and which of its columns is which.
    pub(crate) fn adoption(&self) -> AdoptionOptions {
        self.adopt.options()
    }

    /// What policies are made from: the accounts' prefix, and the operator's own file. `over` is a file that goes before
    /// the configured one.
    pub(crate) fn policy_options(&self, over: Option<&Path>) -> Result<PolicyOptions, ConfigError> {
        let names = self
            .policy
            .prefix
            .as_ref()
            .map(|prefix| Names::with_prefix(prefix).ok_or(ConfigError::Prefix))
            .transpose()?;
        let own = over.or(self.policy.file.as_deref()).map(|file| {
            let text =
                file::text(file).map_err(|error| ConfigError::Unreadable("policy file", error))?;
            Ok::<_, ConfigError>((file.display().to_string(), text.as_str().to_owned()))
        });
        Ok(PolicyOptions {
            names,
            own: own.transpose()?,
            password_files: self.policy.password_files.clone(),
            nodes: self.nodes()?,
            keys: ComponentKeys::default().with::<SignatureReplay>(),
        })
    }

    /// What `serve` goes by.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Where a service is.
    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    /// The oldest manifest that is accepted of a database: the pin, and what this host remembers.
    pub(crate) fn epoch_floor(&self, database: &Address) -> Result<EpochFloor, ConfigError> {
        let floor = EpochFloor::from(self.keys.minimum_epoch);
        Ok(match self.keys.epoch_file()? {
            Some(file) => floor.with_memory(EpochMemory::new(file, database.without_login())),
            None => floor,
        })
    }

    /// The same once the root comes from this key file; none where the epoch file is not named after the key file.
    pub(crate) fn epoch_floor_after(
        &self,
        key_file: PathBuf,
        database: &Address,
    ) -> Option<EpochFloor> {
        let file = (!self.keys.names_epoch_file()).then(|| keys::epoch_file_beside(key_file))?;
        Some(EpochFloor::default().with_memory(EpochMemory::new(file, database.without_login())))
    }
}

/// What is wrong, and where, without the values: parsers quote the line, and it may hold a password.
fn without_values(error: &config::ConfigError) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    if !line.contains("invalid type:") && !line.contains("invalid value:") {
        return line.to_owned();
    }
    let expected =
        line.rfind(", expected").and_then(|at| line.get(at + 2..)).unwrap_or("expected another");
    format!("a setting has the wrong type: {expected}")
}
