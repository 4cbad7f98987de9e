//! Where a database is.

mod check;
mod demand;
mod error;
mod hosts;
mod node;
mod sqlalchemy;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use sea_orm::DbBackend;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Tls;
use super::feature::feature;
use super::tls::RequestedTls;
pub(super) use demand::Demand;
pub use error::AddressError;

/// A database's URL, and how the way there is encrypted. Printing it leaves the password out.
///
/// A server's URL may name several hosts. Sessions go to the first one that takes changes, or that is what
/// `target_session_attrs` asks for.
pub struct Address {
    /// One URL a host.
    urls: Vec<SecretString>,
    shown: String,
    engine: DbBackend,
    asked: Option<RequestedTls>,
    demand: Option<Demand>,
    tls: Tls,
    /// Which host was found last: the same for every login of this address.
    current: Arc<AtomicUsize>,
}

/// Both engines' drivers read either.
const MODE: [&str; 2] = ["sslmode", "ssl-mode"];

impl Address {
    /// Reads a URL: `sqlite://`, `postgres://` or `mysql://`. Refuses one that a driver would read otherwise than it
    /// was meant.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if matches!(text, ":memory:" | "memory") {
            return Err(AddressError::Memory);
        }
        let (scheme, _) = text.split_once(':').ok_or(AddressError::NotUrl)?;
        let scheme = scheme.to_ascii_lowercase();
        if !text.contains("://") && scheme != "sqlite" {
            return Err(AddressError::NotUrl);
        }
        let engine = engine_of(&scheme)?;
        refuse_left_out(scheme, feature(engine))?;
        match engine {
            DbBackend::Sqlite => Self::of_file(text),
            engine => Self::of_server(engine, text),
        }
    }

    /// Reads a URL in SQLAlchemy's form, and any parameter that tunes a Python driver.
    #[doc(hidden)]
    pub fn from_sqlalchemy(text: &str) -> Result<Self, AddressError> {
        Self::parse(&sqlalchemy::translate(text)?)
    }

    /// Reads a URL in either form: SQLAlchemy's where a driver follows the scheme. Parameters may be of both.
    #[doc(hidden)]
    pub fn of_either_form(text: &str) -> Result<Self, AddressError> {
        let (scheme, _) = text.split_once(':').ok_or(AddressError::NotUrl)?;
        if scheme.contains('+') {
            return Self::from_sqlalchemy(text);
        }
        if scheme.eq_ignore_ascii_case("sqlite") || engine_of(scheme).is_err() {
            return Self::parse(text);
        }
        check::is_encoded(text)?;
        Self::from_sqlalchemy(text)
    }

    fn of_file(text: &str) -> Result<Self, AddressError> {
        check::has_file(text)?;
        let url = Url::parse(text).map_err(|_| AddressError::NotUrl)?;
        check::knows_parameters(DbBackend::Sqlite, &url)?;
        let shown = without_password(&url);
        Ok(Self {
            shown,
            urls: vec![SecretString::from(text)],
            engine: DbBackend::Sqlite,
            asked: None,
            demand: None,
            tls: Tls::default(),
            current: Arc::default(),
        })
    }

    fn of_server(engine: DbBackend, text: &str) -> Result<Self, AddressError> {
        check::is_encoded(text)?;
        let texts = hosts::urls(text)?;
        let urls = parsed(texts.iter().map(|text| text.as_str()))?;
        let url = urls.first().ok_or(AddressError::NotUrl)?;
        check::knows_parameters(engine, url)?;
        check::has_database(url)?;
        hosts::has_no_other_place(url, urls.len() > 1)?;
        let (asked, demand) = (asked(url)?, demand(url)?);
        let is_ours = asked.is_some() || demand.is_some();
        let secrets = urls
            .iter()
            .zip(&texts)
            .map(|(url, text)| if is_ours { without_ours(url) } else { text.as_str().to_owned() });
        Ok(Self {
            shown: shown(&urls, without_password),
            urls: hosts::secrets(secrets),
            engine,
            asked,
            demand,
            tls: Tls::default(),
            current: Arc::default(),
        })
    }

    /// The same address with other demands on TLS than the default's.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The same server by another login, and by another database if one is named. `None` for SQLite.
    pub fn with_login(
        &self,
        user: &str,
        password: &SecretString,
        database: Option<&str>,
    ) -> Option<Self> {
        if self.engine == DbBackend::Sqlite {
            return None;
        }
        let mut urls = self.parsed().ok()?;
        for url in &mut urls {
            url.set_username(&check::encoded(user)).ok()?;
            url.set_password(Some(&check::encoded(password.expose_secret()))).ok()?;
            if let Some(database) = database {
                url.set_path(database);
            }
        }
        Some(Self {
            shown: shown(&urls, without_password),
            urls: hosts::secrets(urls.into_iter().map(String::from)),
            engine: self.engine,
            asked: self.asked.clone(),
            demand: self.demand,
            tls: self.tls.clone(),
            current: self.current.clone(),
        })
    }

    /// Who logs in; `None` where the address does not say, as on SQLite.
    pub fn user(&self) -> Option<String> {
        let url = Url::parse(self.expose()).ok().filter(|_| self.engine != DbBackend::Sqlite)?;
        Some(url.username().to_owned()).filter(|user| !user.is_empty())
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
    pub(super) fn asked(&self) -> Option<RequestedTls> {
        self.asked.clone()
    }

    /// Which server the sessions want. Of several hosts a primary, unless the address says otherwise.
    pub(super) fn demand(&self) -> Demand {
        let of_list = if self.urls.len() > 1 { Demand::Writable } else { Demand::Any };
        self.demand.unwrap_or(of_list)
    }

    /// The place of the host that was found last.
    pub(super) fn current(&self) -> Arc<AtomicUsize> {
        self.current.clone()
    }

    /// The URL of each host, without `sslmode` and `target_session_attrs`: those are not the driver's to decide.
    pub(super) fn exposed(&self) -> impl Iterator<Item = &str> {
        self.urls.iter().map(ExposeSecret::expose_secret)
    }

    /// The first host's URL; the only one of a file.
    pub(super) fn expose(&self) -> &str {
        self.exposed().next().unwrap_or_default()
    }

    fn parsed(&self) -> Result<Vec<Url>, AddressError> {
        parsed(self.exposed())
    }

    /// The hosts and the database, without login and parameters.
    pub(super) fn place(&self) -> Result<String, AddressError> {
        let mut urls = self.parsed()?;
        for url in &mut urls {
            let _ = (url.set_username(""), url.set_password(None));
            url.set_query(None);
        }
        Ok(shown(&urls, Url::to_string))
    }
}

fn parsed<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Url>, AddressError> {
    let urls: Result<Vec<_>, _> = texts.map(Url::parse).collect();
    urls.map_err(|_| AddressError::NotUrl)
}

/// One URL for all: the first, with the list in place of its host.
fn shown(urls: &[Url], text: impl Fn(&Url) -> String) -> String {
    match urls {
        [] => String::new(),
        [one] => text(one),
        [first, ..] => hosts::with_list(&text(first), first, &hosts::shown(urls)),
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

fn engine_of(scheme: &str) -> Result<DbBackend, AddressError> {
    Ok(match scheme.to_ascii_lowercase().as_str() {
        "sqlite" => DbBackend::Sqlite,
        "postgres" | "postgresql" => DbBackend::Postgres,
        "mysql" | "mariadb" => DbBackend::MySql,
        other => {
            return Err(with_driver(other)
                .map_or_else(|| AddressError::Scheme(other.to_owned()), AddressError::Driver));
        }
    })
}

/// The scheme before a driver of SQLAlchemy's.
fn with_driver(scheme: &str) -> Option<&'static str> {
    let (dialect, _) = scheme.split_once('+')?;
    ["sqlite", "postgresql", "postgres", "mysql", "mariadb"]
        .into_iter()
        .find(|known| *known == dialect)
}

/// The last one counts, as with the drivers.
fn asked(url: &Url) -> Result<Option<RequestedTls>, AddressError> {
    let Some((name, value)) = url.query_pairs().filter(|(name, _)| MODE.contains(&&**name)).last()
    else {
        return Ok(None);
    };
    RequestedTls::parse(&name, &value)
        .map(Some)
        .ok_or_else(|| AddressError::Mode(format!("{name}={value}")))
}

fn demand(url: &Url) -> Result<Option<Demand>, AddressError> {
    let Some((_, value)) = url.query_pairs().filter(|(name, _)| name == demand::NAME).last() else {
        return Ok(None);
    };
    Demand::parse(&value).map(Some).ok_or_else(|| AddressError::SessionAttrs(value.into_owned()))
}

fn without_ours(url: &Url) -> String {
    let is_ours = |name: &str| MODE.contains(&name) || name == demand::NAME;
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| !is_ours(name)).collect();
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

/// Refuses an engine that this build is without.
fn refuse_left_out(
    scheme: String,
    (feature, is_built): (&'static str, bool),
) -> Result<(), AddressError> {
    if is_built { Ok(()) } else { Err(AddressError::NotBuilt { scheme, feature }) }
}

#[cfg(test)]
mod tests;
