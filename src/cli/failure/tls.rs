//! What to set when the way to a database is not, or would not be, encrypted and verified.

use sea_orm::DbErr;

use super::Failure;
use crate::exit::Exit;
use strongroom::db::{self, TlsFailure};

const LOUD: &str = "`database.allow_insecure = true` lets an address go without";

pub(super) fn failure(error: &DbErr) -> Option<Failure> {
    if let Some(refused) = db::insecure_address(error) {
        let help = format!(
            "remove it from the address, and set `database.ca_file` if the server's authority is your own; {LOUD}"
        );
        return Some(Failure::refused("insecure_address", refused).help(help));
    }
    let reason = db::tls_failure(error)?;
    let help = match &reason {
        TlsFailure::Untrusted => {
            format!(
                "set `database.ca_file` to the certificate of the authority that signed the server's; {LOUD}"
            )
        }
        TlsFailure::WrongHost => {
            format!(
                "use the host name in the server's certificate, or give the server a certificate for this one; {LOUD}"
            )
        }
        TlsFailure::OutOfTime => {
            "renew the server's certificate, or set this host's clock".to_owned()
        }
        TlsFailure::NotOffered => {
            format!("switch TLS on in the server, or use an address on loopback; {LOUD}")
        }
        TlsFailure::Other(_) => {
            format!("check the server's certificate and `database.ca_file`; {LOUD}")
        }
        reason => {
            return Some(Failure::unnamed(format!("TLS to the database server failed: {reason}")));
        }
    };
    Some(
        Failure::new(
            Exit::Unreachable,
            "tls",
            format!("TLS to the database server failed: {reason}"),
        )
        .help(help),
    )
}
