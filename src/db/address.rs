//! Where a database is.

use std::fmt;

use sea_orm::DbBackend;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// A database's URL. Printing it leaves the password out.
pub struct Address {
    url: SecretString,
    shown: String,
    engine: DbBackend,
    parameters: Vec<String>,
}

/// The URL is not one of a database.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a URL at all. The text is not repeated: it may hold a password.
    #[error("the database address is not a URL")]
    NotUrl,
    /// Another scheme.
    #[error("unknown database scheme `{0}`: use sqlite://, postgres:// or mysql://")]
    Scheme(String),
}

impl Address {
    /// Reads a URL: `sqlite://`, `postgres://` or `mysql://`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::NotUrl)?;
        let engine = match url.scheme() {
            "sqlite" => DbBackend::Sqlite,
            "postgres" | "postgresql" => DbBackend::Postgres,
            "mysql" | "mariadb" => DbBackend::MySql,
            other => return Err(AddressError::Scheme(other.to_owned())),
        };
        Ok(Self {
            url: SecretString::from(text.to_owned()),
            shown: without_password(&url),
            engine,
            parameters: url.query_pairs().map(|(name, _)| name.into_owned()).collect(),
        })
    }

    /// The engine that the scheme names.
    pub fn engine(&self) -> DbBackend {
        self.engine
    }

    /// Whether the address sets one of these parameters.
    pub(super) fn names_any(&self, parameters: &[&str]) -> bool {
        self.parameters.iter().any(|name| parameters.contains(&name.as_str()))
    }

    pub(super) fn expose(&self) -> &str {
        self.url.expose_secret()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Query parameters go too: drivers take passwords there.
fn without_password(url: &Url) -> String {
    let mut shown = url.clone();
    if shown.password().is_some() {
        let _ = shown.set_password(Some("***"));
    }
    shown.set_query(None);
    shown.to_string()
}
