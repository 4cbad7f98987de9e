//! The way to the database: encrypted, verified, or neither.

use super::check::Check;
use strongroom::internal::db::{self, Address, DatabaseConnection, DbErr, Peer};

const NAME: &str = "tls";

/// On loopback this only tells.
pub(super) async fn encryption(db: &DatabaseConnection, address: &Address) -> Check {
    match look(db, address).await {
        Ok(check) => check,
        Err(error) => Check::unknown(NAME, error),
    }
}

async fn look(db: &DatabaseConnection, address: &Address) -> Result<Check, DbErr> {
    let Some(way) = db::way(address)? else { return Ok(Check::ok(NAME, "the database is a file")) };
    let protocol = db::server::encryption(db).await?;
    let encrypted = protocol.as_ref().map_or_else(
        || "not encrypted".to_owned(),
        |protocol| format!("encrypted with {protocol}"),
    );
    let place = match way.peer {
        Peer::Socket => "a Unix socket",
        Peer::Loopback => "loopback",
        Peer::Remote => "another host",
    };
    let verified = if way.is_verified { "verified" } else { "not verified" };
    let message = format!("{encrypted}, {verified}; {place}");
    if way.peer == Peer::Remote && !(protocol.is_some() && way.is_verified) {
        let hint = "set `database.ca_file` to the authority of the server's certificate, take `sslmode` out of the address, \
                    and unset `database.allow_insecure`";
        return Ok(Check::advice(NAME, message, hint));
    }
    Ok(Check::ok(NAME, message))
}
