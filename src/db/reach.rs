//! Why a server did not serve us, as far as an operator can act on it.

use std::io::ErrorKind;

use sea_orm::DbErr;

use super::cause::{Cause, cause, said};
use super::engine::OtherService;
use super::error::{
    configuration, has_code, is_missing_database, is_not_primary, is_unreachable, mysql_number,
};

/// Why a server did not serve us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unserved {
    /// A pooler in transaction mode hands each transaction another session.
    Pooler,
    /// No session is left, for anyone or for this login.
    TooManyConnections,
    /// The server has no database of this name.
    NoDatabase,
    /// The user, the password, the host or the way of logging in is refused.
    Login,
    /// A statement is longer than the server takes.
    Packet,
    /// The connection ended in the midst of a statement.
    Lost,
    /// Another service answers at this address.
    OtherService,
    /// The host's name has no address.
    NotResolved,
    /// The host answers, and nothing listens at the port.
    Refused,
    /// Nothing answers.
    Silent,
    /// The peer answers, and not in the engine's protocol.
    Protocol,
    /// The server takes no changes: another one does.
    NotPrimary,
    /// Unreachable for another reason.
    Other,
}

/// Returns why the server did not serve us; `None` when it did, and refused a statement.
pub fn unserved(error: &DbErr) -> Option<Unserved> {
    if configuration::<OtherService>(error).is_some() {
        return Some(Unserved::OtherService);
    }
    if is_not_primary(error) {
        return Some(Unserved::NotPrimary);
    }
    by_server(error)
        .or_else(|| by_way(error))
        .or_else(|| is_unreachable(error).then_some(Unserved::Other))
}

/// What the server says itself.
fn by_server(error: &DbErr) -> Option<Unserved> {
    let number = mysql_number(error);
    let is = |numbers: &[u16]| number.is_some_and(|number| numbers.contains(&number));
    if is_pooled(error) {
        Some(Unserved::Pooler)
    } else if is(&TOO_MANY_CONNECTIONS) || has_code(error, |code| code == "53300") {
        Some(Unserved::TooManyConnections)
    } else if is_missing_database(error) {
        Some(Unserved::NoDatabase)
    } else if is(&LOGIN) || has_code(error, |code| code.starts_with("28")) {
        Some(Unserved::Login)
    } else if is(&[PACKET]) {
        Some(Unserved::Packet)
    } else {
        None
    }
}

/// A prepared statement that is there already, or gone, or another one's: the session is not ours alone.
fn is_pooled(error: &DbErr) -> bool {
    has_code(error, |code| matches!(code, "42P05" | "26000"))
        || has_code(error, |code| code == "08P01")
            && said(error).is_some_and(|said| said.message.contains("prepared statement"))
}

fn by_way(error: &DbErr) -> Option<Unserved> {
    match cause(error)? {
        Cause::Io(io) => Some(match io.kind() {
            ErrorKind::ConnectionRefused => Unserved::Refused,
            ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                Unserved::Silent
            }
            _ if io.to_string().starts_with(NOT_RESOLVED) => Unserved::NotResolved,
            _ if is_end(io.kind()) && !matches!(error, DbErr::Conn(_)) => Unserved::Lost,
            _ => Unserved::Other,
        }),
        Cause::Protocol if matches!(error, DbErr::Conn(_)) => Some(Unserved::Protocol),
        _ => None,
    }
}

fn is_end(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// How the standard library begins the error of `getaddrinfo`.
const NOT_RESOLVED: &str = "failed to lookup address information";
/// Of the server, of an account by its own limit, and by its limit for an hour.
const TOO_MANY_CONNECTIONS: [u16; 3] = [1040, 1203, 1226];
/// Wrong password, no password over this way, host blocked or not allowed, expired password, locked account on MySQL and
/// on MariaDB, TLS required.
const LOGIN: [u16; 9] = [1045, 1698, 1129, 1130, 1820, 1862, 3118, 4151, 3159];
const PACKET: u16 = 1153;
