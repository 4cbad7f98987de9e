//! What is wrong with an address before a driver reads it: drivers ignore it, or connect elsewhere.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sea_orm::DbBackend;
use url::Url;
use zeroize::Zeroizing;

use super::AddressError;

/// Refuses characters that end a user or a password: the rest would be taken for the host, the path or a parameter.
pub(super) fn is_encoded(text: &str) -> Result<(), AddressError> {
    let (_, rest) = text.split_once("://").ok_or(AddressError::NotUrl)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let is_clear = !user.contains('@') && !behind.contains(['@', '#']) && has_whole_codes(user);
    if is_clear { Ok(()) } else { Err(AddressError::Unencoded) }
}

/// Whether every `%` begins a percent code, and all of them together are UTF-8.
fn has_whole_codes(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    let is_code = |part: &str| {
        part.get(..2).is_some_and(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    parts.all(is_code) && percent_decode_str(text).decode_utf8().is_ok()
}

/// Writes every character that is no letter or digit as a percent code.
pub(super) fn encoded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string())
}

/// Refuses a server's address without a database: the server would choose another one, or none.
pub(super) fn has_database(url: &Url) -> Result<(), AddressError> {
    let in_path = !url.path().trim_matches('/').is_empty();
    if in_path || url.query_pairs().any(|(name, _)| name == "dbname") {
        Ok(())
    } else {
        Err(AddressError::NoDatabase)
    }
}

/// Refuses SQLite's addresses without a file.
pub(super) fn has_file(text: &str) -> Result<(), AddressError> {
    let (_, rest) = text.split_once(':').ok_or(AddressError::NotUrl)?;
    let path = rest.trim_start_matches('/').split('?').next().unwrap_or_default();
    let is_memory = matches!(path, "" | ":memory:") || rest.contains("mode=memory");
    match rest.strip_prefix("//") {
        _ if is_memory => Err(AddressError::Memory),
        None => Err(AddressError::Slashes),
        Some(_) => Ok(()),
    }
}

/// Refuses parameters that the engine's driver does not know.
pub(super) fn knows_parameters(engine: DbBackend, url: &Url) -> Result<(), AddressError> {
    let known = known(engine);
    let is_known = |name: &str| {
        known.contains(&name) || engine == DbBackend::Postgres && name.starts_with("options[")
    };
    let unknown = url.query_pairs().map(|(name, _)| name).find(|name| !is_known(name));
    unknown.map_or(Ok(()), |name| {
        Err(unknown_parameter(&name, !url.username().is_empty() || url.port().is_none()))
    })
}

/// Names a parameter, unless it may be the rest of a password.
pub(super) fn unknown_parameter(name: &str, is_apart: bool) -> AddressError {
    let is_name = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if is_apart && is_name {
        AddressError::Parameter(name.to_owned())
    } else {
        AddressError::Unencoded
    }
}

/// Returns the parameters that an engine's driver reads.
pub(super) fn known(engine: DbBackend) -> &'static [&'static str] {
    match engine {
        DbBackend::Postgres => &[
            "application_name",
            "dbname",
            "host",
            "hostaddr",
            "options",
            "password",
            "port",
            "ssl-ca",
            "ssl-cert",
            "ssl-key",
            "ssl-mode",
            "ssl-root-cert",
            "sslcert",
            "sslkey",
            "sslmode",
            "sslrootcert",
            "statement-cache-capacity",
            "target_session_attrs",
            "user",
        ],
        DbBackend::MySql => &[
            "charset",
            "collation",
            "socket",
            "ssl-ca",
            "ssl-cert",
            "ssl-key",
            "ssl-mode",
            "sslca",
            "sslcert",
            "sslkey",
            "sslmode",
            "statement-cache-capacity",
            "time-zone",
            "timezone",
        ],
        _ => &["cache", "immutable", "mode", "vfs"],
    }
}
