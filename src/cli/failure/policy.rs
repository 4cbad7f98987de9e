//! What to type when a policy is not in force.

use super::Failure;
use super::keys::ring_by_reference;
use crate::exit::Exit;
use strongroom::db::LockError;
use strongroom::internal::policy::{GrantError, Missing};

impl From<GrantError> for Failure {
    fn from(error: GrantError) -> Self {
        by_reference(&error)
    }
}

/// Inside a step's error it cannot be moved out.
pub(super) fn by_reference(error: &GrantError) -> Failure {
    match error {
        GrantError::Ring(error) => ring_by_reference(error),
        GrantError::Lock(LockError::Database(error)) | GrantError::Database(error) => error.clone().into(),
        GrantError::Lock(error) => error.again().into(),
        GrantError::Policy(error) => {
            Failure::new(Exit::Usage, "policy", error).help("`strongroom policy plan --policy FILE` reads it again")
        }
        GrantError::Password(_) => {
            Failure::refused("password_file", error).help("`policy.password_files` in the configuration names it; `chmod 600` closes it")
        }
        GrantError::NoPolicy => Failure::new(Exit::Failed, "no_policy", error).help("run `strongroom migrate up --yes`"),
        GrantError::UnknownComponent(_) => {
            Failure::new(Exit::Failed, "unknown_component", error).help("`strongroom policy show` lists the components")
        }
        GrantError::NotReady { missing, with_policies } => Failure::refused("not_ready", error).help(to_be_ready(missing, *with_policies)),
        GrantError::PasswordRefused => Failure::refused("password_refused", error)
            .help("write another one into the file that `policy.password_files` names (`openssl rand -base64 32`), then the same command again"),
        GrantError::Unsupported(_) => {
            Failure::refused("unsupported_server", error).help("`strongroom migrate up --to 8 --yes` seals without policies")
        }
        GrantError::Forged(_) | GrantError::UnknownLogin { .. } => Failure::refused("policy_forged", error)
            .help("compare tables strongroom_policy and strongroom_database_login with a backup"),
        GrantError::SharedAccounts(_) => {
            Failure::refused("shared_accounts", error).help("set `policy.prefix` in the configuration of one of the two")
        }
        GrantError::Forbidden { .. } => Failure::refused("forbidden", error).help(
            "migrate with a login that may: CREATEROLE and ownership on PostgreSQL, CREATE USER and grant option on MySQL and MariaDB; \
             everything but policies is there at version 8 (`strongroom migrate up --to 8 --yes`)",
        ),
        GrantError::Left(_) => Failure::new(Exit::Left, "drift", error)
            .help("`strongroom policy check` lists them all; what somebody else granted, they must take back"),
        GrantError::Denied { .. } => {
            Failure::refused("denied", error).help("take that right away, or take the denial out of the policy")
        }
        GrantError::StalePlan(_) => Failure::refused("stale_plan", error).help("make a new one with `strongroom policy plan --out FILE`"),
        GrantError::Login { .. } => {
            Failure::refused("login_refused", error).help("`strongroom policy check` shows how the server differs")
        }
        GrantError::TooManyConnections { .. } => Failure::refused("too_many_connections", error)
            .help("lower `connections` in the policy, or raise the server's `max_connections`"),
        GrantError::SessionsStay { .. } => {
            Failure::new(Exit::Failed, "sessions_stay", error).help("end them on the server; the same command again goes on")
        }
        GrantError::NoRoot => Failure::refused("key_missing", error).help("name a key source under [keys]"),
        _ => Failure::unnamed(error),
    }
}

/// Every cure, as an administrator of the server types it.
fn to_be_ready(missing: &[Missing], with_policies: bool) -> String {
    let cures: Vec<_> = missing
        .iter()
        .filter_map(|missing| missing.cure.as_deref())
        .map(|sql| format!("`{sql};`"))
        .collect();
    let first = match cures.is_empty() {
        true if with_policies => String::new(),
        true => "update the server".to_owned(),
        false => format!("run as the server's administrator: {}", cures.join(" ")),
    };
    let last = "`strongroom migrate up --to 8 --yes` does everything but policies";
    match (with_policies, first.is_empty()) {
        (false, _) => first,
        (true, true) => last.to_owned(),
        (true, false) => format!("{first}; {last}"),
    }
}
