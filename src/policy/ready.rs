//! Whether a server and a login are ready for policies: asked before the first step of a way that brings one.

mod mysql;
mod passwords;
mod postgres;

use sea_orm::ConnectionTrait;
use strongroom_migration::Engine;

pub use self::mysql::{may_make_triggers, may_see_triggers};
use super::GrantError;
use super::missing::Missing;
use super::site::PolicyOptions;
use super::support::unsupported;
use crate::db::{Support, server_version, support};

/// Refuses a server that is too old for anything, and one that is not ready for policies where the way brings one. One
/// refusal names all that is missing.
pub async fn require_ready(
    db: &impl ConnectionTrait,
    options: &PolicyOptions,
    needs: Needs,
) -> Result<(), GrantError> {
    let engine = Engine::of(db).await?;
    if let Support::TooOld(reason) = support(engine, &server_version(db).await?) {
        return Err(GrantError::NotReady {
            missing: vec![Missing::new(reason, None)],
            with_policies: false,
        });
    }
    let mut missing = Vec::new();
    if matches!(engine, Engine::MySql | Engine::MariaDb) {
        missing.extend(mysql::missing_of_server(db, needs.triggers).await?);
    }
    let of_server = missing.len();
    if needs.policies && engine != Engine::Sqlite {
        if let Some(reason) = unsupported(db, engine).await? {
            return Err(GrantError::Unsupported(reason));
        }
        missing.extend(match engine {
            Engine::Postgres => postgres::missing(db).await?,
            _ => mysql::missing(db, engine, options).await?,
        });
    }
    let with_policies = missing.len() > of_server;
    if missing.is_empty() { Ok(()) } else { Err(GrantError::NotReady { missing, with_policies }) }
}

/// What the steps of a way do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// They make triggers.
    pub triggers: bool,
    /// They make accounts and grants.
    pub policies: bool,
}
