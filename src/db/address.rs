//! Where a database is.

mod check;
mod error;
mod sqlalchemy;

use std::fmt;

use sea_orm::DbBackend;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::Tls;
use super::feature::feature;
use super::tls::RequestedTls;
pub use error::AddressError;

/// A database's URL, and how the way there is encrypted. Printing it leaves the password out.
pub struct Address {
    url: SecretString,
    shown: String,
    engine: DbBackend,
    asked: Option<RequestedTls>,
    tls: Tls,
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
            url: SecretString::from(text),
            engine: DbBackend::Sqlite,
            asked: None,
            tls: Tls::default(),
        })
    }

    fn of_server(engine: DbBackend, text: &str) -> Result<Self, AddressError> {
        check::is_encoded(text)?;
        let url = Url::parse(text).map_err(|_| AddressError::NotUrl)?;
        check::knows_parameters(engine, &url)?;
        check::has_database(&url)?;
        let asked = asked(&url)?;
        let text = if asked.is_some() { without_mode(&url) } else { text.to_owned() };
        Ok(Self {
            shown: without_password(&url),
            url: SecretString::from(text),
            engine,
            asked,
            tls: Tls::default(),
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
        let mut url =
            Url::parse(self.expose()).ok().filter(|_| self.engine != DbBackend::Sqlite)?;
        url.set_username(&check::encoded(user)).ok()?;
        url.set_password(Some(&check::encoded(password.expose_secret()))).ok()?;
        if let Some(database) = database {
            url.set_path(database);
        }
        let (shown, text): (_, String) = (without_password(&url), url.into());
        Some(Self {
            url: text.into(),
            shown,
            engine: self.engine,
            asked: self.asked.clone(),
            tls: self.tls.clone(),
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

fn without_mode(url: &Url) -> String {
    let kept: Vec<_> =
        url.query_pairs().into_owned().filter(|(name, _)| !MODE.contains(&name.as_str())).collect();
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
mod tests {
    use super::*;

    #[test]
    fn engine_that_was_left_out_is_refused_with_its_feature() {
        for (scheme, name, is_built) in [
            ("postgres", "postgres", cfg!(feature = "postgres")),
            ("mariadb", "mysql", cfg!(feature = "mysql")),
            ("sqlite", "sqlite", cfg!(feature = "sqlite")),
        ] {
            assert_eq!(feature(engine_of(scheme).unwrap()), (name, is_built));
            assert!(refuse_left_out(scheme.to_owned(), (name, true)).is_ok());
            let refused = refuse_left_out(scheme.to_owned(), (name, false)).unwrap_err();
            assert!(refused.to_string().contains(&format!("`{name}`")), "{refused}");
        }
    }

    #[cfg(all(feature = "postgres", feature = "mysql", feature = "sqlite"))]
    mod every_engine {
        use super::*;

        #[test]
        fn an_address_that_a_driver_misreads_is_refused_without_its_password() {
            use AddressError::{Driver, Memory, NoDatabase, NotUrl, Scheme, Slashes, Unencoded};
            let parameter = |name: &str| AddressError::Parameter(name.to_owned());
            for (text, error) in [
                ("postgres://app:p#canary@db/keys", Unencoded),
                ("mysql://app:p?canary@db/keys", Unencoded),
                ("mysql://app:p/canary@db/keys", Unencoded),
                ("mysql://app:p@canary@db/keys", Unencoded),
                ("mysql://app:p%canary@db/keys", Unencoded),
                ("mysql://app:p%c@db/keys", Unencoded),
                ("mysql://app:%ff@db/keys", Unencoded),
                ("mysql://app:12?canary@127.0.0.1/keys", Unencoded),
                ("postgres://app:12#canary@127.0.0.1/keys", Unencoded),
                ("mysql://app:12/canary@127.0.0.1/keys", Unencoded),
                ("mysql://app:p@s/canary@db/keys", Unencoded),
                ("mysql://app:p@s?canary@db/keys", Unencoded),
                ("mysql://app:12?canary", Unencoded),
                ("mysql://app:12?canary=1", Unencoded),
                ("postgres://db/keys#canary", Unencoded),
                ("postgresql+psycopg2://app:canary@db/keys", Driver("postgresql")),
                ("mysql+pymysql://app:canary@db/keys", Driver("mysql")),
                ("mysql://root:canary@127.0.0.1:3306/", NoDatabase),
                ("mysql://root:canary@127.0.0.1:3306", NoDatabase),
                ("postgres://root:canary@127.0.0.1//", NoDatabase),
                (
                    "mysql://app@localhost/keys?unix_socket=/run/mysqld.sock",
                    parameter("unix_socket"),
                ),
                ("mysql://app:canary@localhost/keys?ssl-mod=required", parameter("ssl-mod")),
                ("postgres://app@localhost/keys?connect_timeout=5", parameter("connect_timeout")),
                ("sqlite://x.db?mod=rwc", parameter("mod")),
                ("sqlite::memory:", Memory),
                ("sqlite://:memory:", Memory),
                ("sqlite:", Memory),
                ("sqlite://", Memory),
                ("sqlite://x?mode=memory", Memory),
                ("sqlite:x.db", Slashes),
                (":memory:", Memory),
                ("SQLITE::memory:", Memory),
                ("x.db", NotUrl),
                ("app:canary@db/keys", NotUrl),
                ("oracle://app:canary@db/keys", Scheme("oracle".into())),
            ] {
                let refused = Address::parse(text).expect_err(text);
                assert_eq!(refused, error, "{text}");
                assert!(!format!("{refused} {}", refused.cure()).contains("canary"), "{text}");
            }
        }

        #[test]
        fn an_address_that_drivers_read_as_it_is_meant_passes() {
            for text in [
                "mysql://app:p%23%3F%2F%40%3A%25@db/keys",
                "mysql://app:a:b@db/keys",
                "postgres:///keys?host=/run/postgresql&user=me%40corp",
                "postgres://app@[::1]:5432/keys?options[search_path]=x&application_name=a",
                "postgres://app@localhost?dbname=keys",
                "MySQL://app@localhost/keys?socket=/run/mysqld.sock",
                "sqlite://strongroom.db?mode=rwc",
                "sqlite:///var/lib/strongroom.db",
            ] {
                assert!(Address::parse(text).is_ok(), "{text}");
            }
        }

        #[test]
        fn a_login_with_any_character_is_read_back() {
            let address = Address::parse("mysql://app@db/keys").unwrap();
            let with =
                address.with_login("u@s", &SecretString::from("p%41#?/@:\u{e9}"), None).unwrap();
            assert!(Address::parse(with.expose()).is_ok());
            let url = Url::parse(with.expose()).unwrap();
            let decoded = percent_encoding::percent_decode_str(url.password().unwrap())
                .decode_utf8()
                .unwrap();
            assert_eq!(decoded, "p%41#?/@:\u{e9}");
        }
    }
}
