//! What an error means, in no driver's terms.

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod sqlx;

use std::borrow::Cow;
use std::error::Error;
use std::io;

#[cfg(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
use sea_orm::DbErr;

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(super) use self::sqlx::cause;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) use self::sqlx::conn;
#[cfg(all(feature = "postgres", feature = "mysql"))]
pub(super) use self::sqlx::said;

/// What a driver says of an error, in no driver's terms.
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql", feature = "sqlite")),
    expect(dead_code, reason = "nobody says anything")
)]
pub(super) enum Cause<'a> {
    Io(&'a io::Error),
    Tls(&'a (dyn Error + Send + Sync + 'static)),
    /// Of the pool or of the driver itself: there is no session.
    NoSession,
    /// Whoever answers does not speak the engine's protocol.
    Protocol,
    Server {
        code: Option<Cow<'a, str>>,
        number: Option<u16>,
    },
    Configuration(&'a (dyn Error + Send + Sync + 'static)),
}

#[cfg(all(feature = "postgres", feature = "mysql"))]
/// What a server said of an error, in its own words.
pub(super) struct ServerMessage<'a> {
    pub(super) code: Option<Cow<'a, str>>,
    pub(super) number: Option<u16>,
    pub(super) message: &'a str,
    /// May hold values of rows.
    pub(super) detail: Option<&'a str>,
    pub(super) hint: Option<&'a str>,
    pub(super) object: Option<String>,
}

#[cfg(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
pub(super) fn cause(_error: &DbErr) -> Option<Cause<'_>> {
    None
}
