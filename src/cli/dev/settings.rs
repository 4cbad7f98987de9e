//! The configuration of `serve --dev`: written once, kept while its files lie in the folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::folder::Folder;
use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed::quoted;
use strongroom::crypto::make_bytes;
use strongroom::db;

pub(super) const TRUST_DOMAIN: &str = "strongroom.local";
pub(super) const LISTEN: &str = "127.0.0.1:8443";

const IN_A_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where everything lies.
pub(super) struct Files {
    pub(super) config: PathBuf,
    pub(super) key: PathBuf,
    pub(super) database: PathBuf,
    pub(super) certificates: PathBuf,
}

impl Files {
    /// Refuses a folder whose path cannot stand in a configuration, an address or a command.
    pub(super) fn of(folder: &Folder) -> Result<Self, Failure> {
        let fits = folder.path.to_str().is_some_and(|path| !path.chars().any(char::is_control));
        if !fits {
            let failure = Failure::new(
                Exit::Usage,
                "usage",
                "the folder's path is not UTF-8, or has control characters",
            );
            return Err(failure.help("name another folder: `strongroom serve --dev --dir DIR`"));
        }
        Ok(Self {
            config: folder.file("strongroom.toml"),
            key: folder.file("strongroom.key"),
            database: folder.file("strongroom.db"),
            certificates: folder.file("certs"),
        })
    }

    pub(super) fn certificate(&self, name: &str) -> PathBuf {
        self.certificates.join(name)
    }

    /// Reads the configuration, which it makes where there is none. The environment adds nothing to it: the shell may have
    /// another database's address.
    pub(super) fn settings(&self) -> Result<Config, Failure> {
        if !self.config.exists() {
            self.write().map_err(|error| {
                Failure::new(
                    Exit::Failed,
                    "dev_folder",
                    format!("{} cannot be written: {error}", self.config.display()),
                )
            })?;
        }
        let config = Config::read_file(&self.config)?;
        self.require_own(&config)?;
        Ok(config)
    }

    fn write(&self) -> io::Result<()> {
        let suffix = hex::encode(make_bytes::<8>().map_err(io::Error::other)?);
        let beside = self.config.with_extension(format!("{suffix}.tmp"));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(self.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.config)
    }

    /// JSON's strings are TOML's, where there are no control characters.
    fn text(&self) -> String {
        let path = |path: &Path| serde_json::Value::from(path.display().to_string()).to_string();
        let url = format!(
            "sqlite://{}?mode=rwc",
            utf8_percent_encode(&self.database.to_string_lossy(), IN_A_PATH)
        );
        format!(
            "# `strongroom serve --dev` made this file for development, and keeps it while the files below lie in this folder.\n\
             # Other commands take it too: strongroom --config {config} credential list\n\n\
             [database]\nurl = \"{url}\"\n\n\
             [keys]\nsource = \"file\"\nfile = {key}\n\n\
             [server]\nlisten = \"{LISTEN}\"\ncertificate = {certificate}\nprivate_key_file = {private_key}\n\
             client_ca = {client_ca}\nreplicas = 1\ndrain_seconds = 0.0\n\n\
             [server.identity]\ntrust_domain = \"{TRUST_DOMAIN}\"\n",
            config = quoted(&self.config.to_string_lossy()),
            key = path(&self.key),
            certificate = path(&self.certificate("server.pem")),
            private_key = path(&self.certificate("server.key")),
            client_ca = path(&self.certificate("ca.pem")),
        )
    }

    /// A folder that was moved has the old paths; one that was edited may name a database that is not for development.
    fn require_own(&self, config: &Config) -> Result<(), Failure> {
        let server = config.server();
        let key = config.key_source()?.file();
        let checks = [
            (
                "database.url",
                db::sqlite_file(&config.database()?).as_deref() == Some(&self.database),
            ),
            ("keys.file", key.as_deref() == Some(&self.key)),
            ("server.tls", server.tls),
            ("server.certificate", server.certificate == self.certificate("server.pem")),
            ("server.private_key_file", server.private_key_file == self.certificate("server.key")),
            ("server.client_ca", server.client_ca == self.certificate("ca.pem")),
            (
                "server.identity.trust_domain",
                server.identity.trust_domain.as_deref() == Some(TRUST_DOMAIN),
            ),
        ];
        let Some((setting, _)) = checks.into_iter().find(|(_, is_own)| !is_own) else {
            return Ok(());
        };
        let message = format!(
            "`{setting}` in {} is not what `strongroom serve --dev` set",
            self.config.display()
        );
        let remove = format!("`rm {}`", quoted(&self.config.to_string_lossy()));
        Err(Failure::refused("dev_settings", message)
            .help(format!("remove the file with {remove}: the next start makes a new one")))
    }
}
