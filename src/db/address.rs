//! Where a database is.

use std::fmt;

use sea_orm::DbBackend;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::Tls;
use super::engine::feature;
use super::tls::Asked;

/// A database's URL, and how the way there is encrypted. Printing it leaves the password out.
pub struct Address {
    url: SecretString,
    shown: String,
    engine: DbBackend,
    asked: Option<Asked>,
    tls: Tls,
}

/// The URL is not one of a database that this build can speak to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not a URL at all. The text is not repeated: it may hold a password.
    #[error("the database address is not a URL")]
    NotUrl,
    /// Another scheme.
    #[error("unknown database scheme `{0}`: use sqlite://, postgres:// or mysql://")]
    Scheme(String),
    /// The engine's driver was left out of this build.
    #[error("`{scheme}` addresses take strongroom's feature `{feature}`, which this build is without")]
    NotBuilt {
        /// Of the address.
        scheme: String,
        /// What to switch on.
        feature: &'static str,
    },
    /// An `sslmode` that neither engine has.
    #[error("unknown `{0}` in the database address: PostgreSQL's strictest is `verify-full`, MySQL's `verify_identity`")]
    Mode(String),
}

/// Both engines' drivers read either.
const MODE: [&str; 2] = ["sslmode", "ssl-mode"];

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
        let (feature, is_built) = feature(engine);
        if !is_built {
            return Err(AddressError::NotBuilt { scheme: url.scheme().to_owned(), feature });
        }
        let server = engine != DbBackend::Sqlite;
        let asked = if server { asked(&url)? } else { None };
        let text = if asked.is_some() { without_mode(&url) } else { text.to_owned() };
        Ok(Self { shown: without_password(&url), url: SecretString::from(text), engine, asked, tls: Tls::default() })
    }

    /// The same address with other demands on TLS than the default's.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The same server by another login, and by another database if one is named. `None` for SQLite.
    pub fn with_login(&self, user: &str, password: &SecretString, database: Option<&str>) -> Option<Self> {
        let mut url = Url::parse(self.expose()).ok().filter(|_| self.engine != DbBackend::Sqlite)?;
        url.set_username(user).ok()?;
        url.set_password(Some(password.expose_secret())).ok()?;
        if let Some(database) = database {
            url.set_path(database);
        }
        let (shown, text): (_, String) = (without_password(&url), url.into());
        Some(Self { url: text.into(), shown, engine: self.engine, asked: self.asked.clone(), tls: self.tls.clone() })
    }

    /// Who logs in; `None` where the address does not say, as on SQLite.
    pub fn user(&self) -> Option<String> {
        let url = Url::parse(self.expose()).ok().filter(|_| self.engine != DbBackend::Sqlite)?;
        Some(url.username().to_owned()).filter(|user| !user.is_empty())
    }

    /// The same database for every login: the engine, the host and the name, or a file's absolute path. Without parameters.
    pub fn without_login(&self) -> String {
        if let Some(file) = super::sqlite_file(self) {
            let absolute = file.canonicalize().or_else(|_| std::path::absolute(&file)).unwrap_or(file);
            return format!("sqlite://{}", absolute.display());
        }
        let Ok(mut url) = Url::parse(self.expose()) else { return self.shown.clone() };
        let _ = (url.set_username(""), url.set_password(None));
        url.set_query(None);
        url.to_string()
    }

    /// The engine that the scheme names.
    pub fn engine(&self) -> DbBackend {
        self.engine
    }

    /// The demands on TLS.
    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// What `sslmode` says, if it is set.
    pub(super) fn asked(&self) -> Option<Asked> {
        self.asked.clone()
    }

    /// The URL, without `sslmode`: that is not the driver's to decide.
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

/// The last one counts, as with the drivers.
fn asked(url: &Url) -> Result<Option<Asked>, AddressError> {
    let Some((name, value)) = url.query_pairs().filter(|(name, _)| MODE.contains(&&**name)).last() else {
        return Ok(None);
    };
    Asked::parse(&name, &value).map(Some).ok_or_else(|| AddressError::Mode(format!("{name}={value}")))
}

fn without_mode(url: &Url) -> String {
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| !MODE.contains(&name.as_str())).collect();
    let mut rest = url.clone();
    rest.query_pairs_mut().clear().extend_pairs(kept);
    rest.into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_was_left_out_is_told_with_its_feature() {
        for (url, feature, is_built) in [
            ("postgres://db/strongroom", "`postgres`", cfg!(feature = "postgres")),
            ("mariadb://db/strongroom", "`mysql`", cfg!(feature = "mysql")),
            ("sqlite::memory:", "`sqlite`", cfg!(feature = "sqlite")),
        ] {
            match Address::parse(url) {
                Ok(_) => assert!(is_built, "{url}"),
                Err(error) => assert!(!is_built && error.to_string().contains(feature), "{url}: {error}"),
            }
        }
    }
}
