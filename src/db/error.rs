//! What a database's error means for whoever has to decide what to do next.

use sea_orm::{DbErr, SqlErr};

use super::cause::{Cause, cause};
use super::{InsecureAddress, NotPrimary};

/// Nobody answers, or the login is refused: nothing was done.
pub fn is_unreachable(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return true;
    }
    match cause(error) {
        Some(Cause::Io(_) | Cause::Tls(_) | Cause::NoSession) => true,
        // While connecting: something between takes connections for a server that is away, and says nothing sensible.
        Some(Cause::Protocol) => matches!(error, DbErr::Conn(_)),
        Some(Cause::Server { number: Some(number), .. }) => {
            MYSQL_UNREACHABLE.contains(&number) || is_cut_off(number, error)
        }
        Some(Cause::Server { .. }) => has_code(error, |code| {
            code.starts_with("08")
                || code.starts_with("28")
                || code.starts_with("57P")
                || matches!(code, "3D000" | "53300" | "14")
        }),
        _ => false,
    }
}

/// The server takes no changes, or is not the one that the address asks for: another one does.
///
/// PostgreSQL: a read-only transaction. MySQL and MariaDB: `read_only`, and a server that is being made a replica.
pub fn is_not_primary(error: &DbErr) -> bool {
    configuration::<NotPrimary>(error).is_some()
        || has_code(error, |code| code == "25006")
        || match mysql_number(error) {
            Some(1290) => error.to_string().contains("read-only"),
            number => number == Some(1836),
        }
}

/// A commit that a node of a cluster refused because it lost the others: what became of it is not known.
fn is_cut_off(number: u16, error: &DbErr) -> bool {
    number == 1180 && error.to_string().to_ascii_lowercase().contains("not connected")
}

/// The address was refused before anything was sent: it gives up TLS where TLS is required.
pub fn insecure_address(error: &DbErr) -> Option<&InsecureAddress> {
    configuration(error)
}

/// The error of ours that the driver was handed as its own.
pub fn configuration<E: std::error::Error + 'static>(error: &DbErr) -> Option<&E> {
    match cause(error)? {
        Cause::Configuration(cause) => cause.downcast_ref(),
        _ => None,
    }
}

/// The server answers and does not have this database.
pub fn is_missing_database(error: &DbErr) -> bool {
    has_code(error, |code| code == "3D000") || mysql_number(error) == Some(1049)
}

/// MySQL and MariaDB: there is no such table.
pub(super) fn is_missing_table(error: &DbErr) -> bool {
    mysql_number(error) == Some(1146)
}

/// The whole transaction may be tried again: a lock was not to be had, or two transactions met.
///
/// PostgreSQL: serialization failure, deadlock, lock timeout. SQLite: busy and locked, with all of
/// their extended codes. MySQL and MariaDB: by number, since most share one SQLSTATE.
pub fn is_transient(error: &DbErr) -> bool {
    if let Some(number) = mysql_number(error) {
        return MYSQL_TRANSIENT.contains(&number) && !is_cut_off(number, error);
    }
    if has_code(error, |code| code == "XX000") {
        // Two sessions changed one row of a catalog, as grants do.
        return error.to_string().contains("tuple");
    }
    has_code(error, |code| {
        matches!(code, "40001" | "40P01" | "55P03")
            || code.parse::<u32>().is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 5 | 6))
    })
}

/// How the text goes on by which triggers keep writers from a table that is being changed.
pub(crate) const HOLDS: &str = "strongroom holds writers of";

/// A run of this program keeps writers from the table. On MySQL and MariaDB; it passes, and the statement alone may be tried
/// again.
pub fn is_held(error: &DbErr) -> bool {
    mysql_number(error) == Some(1205) && error.to_string().contains(HOLDS)
}

/// A transaction is larger than a cluster takes.
pub(crate) fn is_writeset_too_large(error: &DbErr) -> bool {
    mysql_number(error) == Some(1105) && error.to_string().contains("writeset size")
}

/// The transaction was rolled back at once, because it met another: tried again it likely passes. Unlike
/// [`is_transient`], no error that a wait for a lock ended with.
pub(crate) fn is_conflict(error: &DbErr) -> bool {
    match mysql_number(error) {
        Some(number) => matches!(number, 1213 | 1020 | 1047 | 1180) && !is_cut_off(number, error),
        None => has_code(error, |code| matches!(code, "40001" | "40P01")),
    }
}

/// The login may not do this.
pub(crate) fn is_forbidden(error: &DbErr) -> bool {
    mysql_number(error).is_some_and(|number| MYSQL_FORBIDDEN.contains(&number))
        || has_code(error, |code| matches!(code, "42501" | "23"))
}

/// The same, asked of a component's own pool: there a column or table that is not to be seen, as behind MariaDB's views, is
/// one that the login may not touch, and so is what SQLite's guards keep it from.
pub fn is_refused(error: &DbErr) -> bool {
    is_forbidden(error)
        || matches!(mysql_number(error), Some(1054 | 1146))
        || has_code(error, |code| code == "9")
        || has_code(error, |code| code == "1811") && error.to_string().contains("no right to")
}

/// Took longer than the login is given, or than it may wait for a lock.
pub fn is_too_slow(error: &DbErr) -> bool {
    is_transient(error)
        || matches!(mysql_number(error), Some(3024 | 1969 | 1317))
        || has_code(error, |code| matches!(code, "57014" | "25P03"))
}

/// What a guard says first of a cell that it refuses for its key: MySQL cuts a long message.
pub(crate) const KEY_IS_GONE: &str = "sealed under a key that the ring does not have";

/// A guard refused a cell because the ring has no such key: it was made in a commit that the database lost, or was wiped.
pub fn is_sealed_under_gone_key(error: &DbErr) -> bool {
    is_constraint_violation(error) && error.to_string().contains(KEY_IS_GONE)
}

/// A row is refused by a constraint or a guard.
pub fn is_constraint_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
        || mysql_number(error).is_some_and(|number| MYSQL_CONSTRAINTS.contains(&number))
        || has_code(error, |code| {
            // SQLSTATE's class 23; SQLite's error 23 is a refusal of the authorizer.
            code.len() == 5 && code.starts_with("23")
                || matches!(code, "275" | "1299" | "1811" | "1555" | "2067")
        })
}

/// Lock wait timeout, deadlock, a record changed since it was read (MariaDB's snapshot isolation), a node that is
/// not ready and a refused commit (Galera).
const MYSQL_TRANSIENT: [u16; 5] = [1205, 1213, 1020, 1047, 1180];
/// To a database, a table, a column, somebody's session, a routine, a privilege that grants speak
/// of, and one of the whole server.
const MYSQL_FORBIDDEN: [u16; 7] = [1044, 1095, 1142, 1143, 1370, 1410, 1227];
/// Too many connections (of the server, of an account, in an hour), access denied to the database, at all or by this way
/// of logging in, no such database, a node that is not ready, shutting down, host blocked or not allowed, a session that was
/// ended (MariaDB, MySQL), expired password, a locked account on MySQL and on MariaDB, TLS required.
const MYSQL_UNREACHABLE: [u16; 18] = [
    1040, 1044, 1045, 1047, 1049, 1053, 1129, 1130, 1203, 1226, 1698, 1820, 1862, 1927, 3118, 3159,
    4031, 4151,
];
/// Without SQLSTATE 23000: no default for a required column, CHECK, a value too long, or characters that a column does
/// not have, stored in it (1366, 3988) or compared with it (1267, 1271).
const MYSQL_CONSTRAINTS: [u16; 7] = [1364, 3819, 1406, 1366, 3988, 1267, 1271];

pub(super) fn mysql_number(error: &DbErr) -> Option<u16> {
    match cause(error)? {
        Cause::Server { number, .. } => number,
        _ => None,
    }
}

pub(super) fn has_code(error: &DbErr, wanted: impl Fn(&str) -> bool) -> bool {
    matches!(cause(error), Some(Cause::Server { code: Some(code), .. }) if wanted(&code))
}

/// The server's rules for passwords refuse one: 1819. MariaDB says 1396, as for an account that is not there.
pub(crate) fn is_password_refused(error: &DbErr, looks_at_passwords: bool) -> bool {
    match mysql_number(error) {
        Some(1819) => true,
        Some(1396) => looks_at_passwords,
        _ => false,
    }
}
