//! Password verifiers in the form that each server stores.

use secrecy::{ExposeSecret as _, SecretString};
use sha1::{Digest as _, Sha1};
use strongroom_migration::Engine;

use crate::crypto::DatabasePassword;
use crate::policy::GrantError;
use crate::policy::wanted::Target;

/// Returns what stands in SQL for a password.
///
/// A verifier where the server takes one, because SQL reaches logs. MariaDB with rules for passwords takes none.
/// PostgreSQL: SCRAM-SHA-256 (RFC 7677). MariaDB: SHA-1 of SHA-1, which with 256 random bits nobody turns round.
/// MySQL takes the password itself, and keeps it out of its logs.
#[cfg_attr(
    feature = "postgres",
    expect(clippy::unnecessary_wraps, reason = "without PostgreSQL's feature nobody can make its")
)]
pub(crate) fn password_verifier(
    target: &Target,
    password: &DatabasePassword,
) -> Result<SecretString, GrantError> {
    let text = password.text();
    Ok(match target.engine {
        Engine::MariaDb if target.looks_at_passwords => text,
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            postgres_protocol::password::scram_sha_256(text.expose_secret().as_bytes()).into()
        }
        Engine::MariaDb => {
            let twice = Sha1::digest(Sha1::digest(text.expose_secret().as_bytes()));
            format!("*{}", hex::encode_upper(twice)).into()
        }
        #[cfg(not(feature = "postgres"))]
        Engine::Postgres => return Err(crate::db::not_built(crate::db::DbBackend::Postgres).into()),
        Engine::MySql | Engine::Sqlite => text,
    })
}
