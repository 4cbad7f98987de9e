//! Addresses in SQLAlchemy's form, as Keystone's configuration has them: `mysql+pymysql://…`.
//!
//! SQLAlchemy ends a password at the first `@` and takes every other character in it as it is; it decodes percent
//! codes in the user and the password alone. In `sqlite:///x` the path is relative; absolute ones have four slashes.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use sea_orm::DbBackend;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::check::{encoded, known, unknown_parameter};
use super::{AddressError, engine_of};

/// Returns the same address in the form that [`Address::parse`](super::Address::parse) takes.
pub(super) fn translate(text: &str) -> Result<Zeroizing<String>, AddressError> {
    let (name, rest) = text.split_once("://").ok_or(AddressError::NotUrl)?;
    let scheme = name.split('+').next().unwrap_or_default();
    match engine_of(scheme)? {
        DbBackend::Sqlite => sqlite(rest),
        engine => server(engine, scheme, rest),
    }
}

fn sqlite(rest: &str) -> Result<Zeroizing<String>, AddressError> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix('/').unwrap_or(path);
    if matches!(path, "" | ":memory:") {
        return Err(AddressError::Memory);
    }
    let path = path.replace('%', "%25").replace('#', "%23");
    Ok(Zeroizing::new(format!("sqlite://{path}{}", parameters(DbBackend::Sqlite, query, true)?)))
}

fn server(engine: DbBackend, scheme: &str, rest: &str) -> Result<Zeroizing<String>, AddressError> {
    let (user, rest) = user_and_rest(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    if place.contains('@') {
        return Err(AddressError::Unencoded);
    }
    let (host, database) = place.split_once('/').unwrap_or((place, ""));
    let (host, query) = hosts_in_query(engine, host, query)?;
    let login = user.map(login).unwrap_or_default();
    let database = encoded(database);
    let parameters = parameters(engine, &query, user.is_some())?;
    Ok(Zeroizing::new(format!("{scheme}://{}{host}/{}{parameters}", *login, *database)))
}

/// PostgreSQL's drivers take several hosts as parameters: `host=A:1&host=B:2`, or `host=A,B&port=1,2`. Returns them before
/// the database, and the parameters without them.
fn hosts_in_query<'a>(
    engine: DbBackend,
    host: &'a str,
    query: &'a str,
) -> Result<(Cow<'a, str>, Cow<'a, str>), AddressError> {
    let of = |wanted: &str| -> Vec<String> {
        let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
        pairs
            .flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect()
    };
    let (hosts, ports) = (of("host"), of("port"));
    if engine != DbBackend::Postgres || hosts.len() < 2 {
        return Ok((host.into(), query.into()));
    }
    let is_apart = matches!(ports.len(), 0 | 1) || ports.len() == hosts.len();
    if !host.is_empty() || !is_apart {
        return Err(AddressError::Hosts);
    }
    let with_port = |(place, host): (usize, &String)| {
        let port = ports.get(place).or_else(|| ports.first());
        port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    };
    let list: Vec<_> = hosts.iter().enumerate().map(with_port).collect();
    let mut rest = form_urlencoded::Serializer::new(String::new());
    rest.extend_pairs(
        form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| !matches!(&**name, "host" | "port")),
    );
    Ok((list.join(",").into(), rest.finish().into()))
}

/// The user holds no `/`; without an `@` behind it there is none.
fn user_and_rest(rest: &str) -> (Option<&str>, &str) {
    match rest.split_once('@') {
        Some((user, behind)) if !user.split(':').next().unwrap_or_default().contains('/') => {
            (Some(user), behind)
        }
        _ => (None, rest),
    }
}

fn login(user: &str) -> Zeroizing<String> {
    let decoded_and_encoded = |text: &str| encoded(&percent_decode_str(text).decode_utf8_lossy());
    Zeroizing::new(match user.split_once(':') {
        Some((user, password)) => {
            format!("{}:{}@", *decoded_and_encoded(user), *decoded_and_encoded(password))
        }
        None => format!("{}@", *decoded_and_encoded(user)),
    })
}

/// Keeps what names the server or the way to it, and leaves out what only tunes a Python driver.
fn parameters(engine: DbBackend, query: &str, has_user: bool) -> Result<String, AddressError> {
    let mut kept = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let name = ours(engine, &name);
        if tunes_a_driver(engine, name) {
            continue;
        }
        if !known(engine).contains(&name) {
            return Err(unknown_parameter(name, has_user));
        }
        kept.append_pair(
            name,
            if name == "sslmode" && value == "true" { "require" } else { &value },
        );
    }
    let kept = kept.finish();
    Ok(if kept.is_empty() { kept } else { format!("?{kept}") })
}

/// The name that our driver has for a parameter of a Python driver.
fn ours(engine: DbBackend, name: &str) -> &str {
    match (engine, name) {
        (DbBackend::MySql, "unix_socket") => "socket",
        (DbBackend::MySql, "ssl_ca") => "ssl-ca",
        (DbBackend::MySql, "ssl_cert") => "ssl-cert",
        (DbBackend::MySql, "ssl_key") => "ssl-key",
        (DbBackend::MySql, "ssl_mode") | (DbBackend::Postgres, "ssl") => "sslmode",
        (_, name) => name,
    }
}

/// Sessions of ours have their own character set, limits and modes. None of these lowers what is asked of TLS.
fn tunes_a_driver(engine: DbBackend, name: &str) -> bool {
    let names: &[&str] = match engine {
        DbBackend::MySql => &[
            "auth_plugin",
            "autocommit",
            "binary_prefix",
            "buffered",
            "charset",
            "client_flag",
            "collation",
            "compress",
            "connect_timeout",
            "connection_timeout",
            "get_warnings",
            "local_infile",
            "max_allowed_packet",
            "plugin",
            "program_name",
            "raise_on_warnings",
            "read_timeout",
            "sql_mode",
            "ssl_check_hostname",
            "ssl_verify_cert",
            "ssl_verify_identity",
            "use_pure",
            "use_unicode",
            "write_timeout",
        ],
        DbBackend::Postgres => &[
            "async_fallback",
            "channel_binding",
            "client_encoding",
            "command_timeout",
            "connect_timeout",
            "executemany_mode",
            "fallback_application_name",
            "gssencmode",
            "keepalives",
            "keepalives_count",
            "keepalives_idle",
            "keepalives_interval",
            "prepare_threshold",
            "prepared_statement_cache_size",
            "tcp_user_timeout",
            "timeout",
        ],
        _ => &[
            "cached_statements",
            "check_same_thread",
            "detect_types",
            "isolation_level",
            "timeout",
        ],
    };
    names.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values follow `sqlalchemy.engine.make_url`.
    #[test]
    fn translating_keeps_what_sqlalchemy_reads() {
        for (theirs, ours) in [
            ("mysql+pymysql://k:pw@db/keystone?charset=utf8", "mysql://k:pw@db/keystone"),
            ("mysql+mysqldb://k@db:3307/keystone", "mysql://k@db:3307/keystone"),
            (
                "mariadb+mariadbconnector://k:pw@db/keystone?unix_socket=/run/m.sock",
                "mariadb://k:pw@db/keystone?socket=%2Frun%2Fm.sock",
            ),
            (
                "postgresql+psycopg2://k:pw@db/keystone?client_encoding=utf8",
                "postgresql://k:pw@db/keystone",
            ),
            (
                "postgresql+asyncpg://k:pw@db/keystone?ssl=require",
                "postgresql://k:pw@db/keystone?sslmode=require",
            ),
            (
                "mysql+pymysql://k:a#b/c?d:e%f@[::1]:3306/keystone",
                "mysql://k:a%23b%2Fc%3Fd%3Ae%25f@[::1]:3306/keystone",
            ),
            ("mysql+pymysql://k:a%40b+c@db/keystone", "mysql://k:a%40b%2Bc@db/keystone"),
            (
                "mysql+pymysql://root:pw@127.0.0.1/keystone?charset=utf8&plugin=dbcounter",
                "mysql://root:pw@127.0.0.1/keystone",
            ),
            (
                "mysql+pymysql://k:pw@db/keystone?ssl_ca=/etc/ca.pem",
                "mysql://k:pw@db/keystone?ssl-ca=%2Fetc%2Fca.pem",
            ),
            ("mysql+pymysql://k:p,w@h1,h2:3307/keystone", "mysql://k:p%2Cw@h1,h2:3307/keystone"),
            (
                "postgresql+psycopg2://k:pw@/keystone?host=h1:5433&host=h2&target_session_attrs=primary",
                "postgresql://k:pw@h1:5433,h2/keystone?target_session_attrs=primary",
            ),
            (
                "postgresql+asyncpg://k:pw@/keystone?host=h1,h2&port=5433,5434",
                "postgresql://k:pw@h1:5433,h2:5434/keystone",
            ),
            ("sqlite:////var/lib/keystone.db", "sqlite:///var/lib/keystone.db"),
            ("sqlite+pysqlite:///keystone.db?timeout=5", "sqlite://keystone.db"),
            ("sqlite:///100%.db", "sqlite://100%25.db"),
        ] {
            assert_eq!(translate(theirs).as_deref().map(String::as_str), Ok(ours), "{theirs}");
        }
    }

    #[test]
    fn an_address_that_sqlalchemy_misreads_is_refused() {
        for (text, error) in [
            ("mysql+pymysql://k:p@ss@127.0.0.1/keystone", AddressError::Unencoded),
            ("mysql+pymysql://k:p@s?canary@127.0.0.1/keystone", AddressError::Unencoded),
            ("mysql+pymysql://k:12?canary", AddressError::Unencoded),
            ("postgresql+psycopg2://k:pw@h0/keystone?host=h1&host=h2", AddressError::Hosts),
            ("postgresql+psycopg2://k:pw@/keystone?host=h1,h2,h3&port=1,2", AddressError::Hosts),
            (
                "mysql+pymysql://k:pw@db/keystone?read_default_file=x",
                AddressError::Parameter("read_default_file".into()),
            ),
            ("oracle+cx_oracle://k:pw@db/keystone", AddressError::Scheme("oracle".into())),
            ("sqlite://", AddressError::Memory),
            ("sqlite:///:memory:", AddressError::Memory),
            ("keystone.db", AddressError::NotUrl),
        ] {
            assert_eq!(translate(text).map(drop), Err(error), "{text}");
        }
    }
}
