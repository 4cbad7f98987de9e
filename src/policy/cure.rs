//! The statement with which an administrator takes away what a policy does not allow.

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
use strongroom_migration::Engine;

use super::state::{Grant, Object};
use super::statement::revocation;
use super::wanted::Target;

/// Takes a right away from whoever has it.
pub(super) fn revoke(target: &Target, grantee: &str, object: &Object, privilege: &str) -> String {
    let grant = Grant {
        grantee: grantee.to_owned(),
        object: object.clone(),
        privilege: privilege.to_owned(),
    };
    revocation(target, grant)
}

/// Takes an anonymous account away.
pub(super) fn drop_anonymous(host: &str) -> String {
    format!("DROP USER ''@'{}'", host.replace('\'', "''"))
}

/// Hands over what an account owns.
pub(super) fn reassign(owner: &str) -> String {
    format!("REASSIGN OWNED BY \"{}\" TO CURRENT_USER", owner.replace('"', "\"\""))
}

/// Ends a membership.
pub(super) fn leave(role: &str, member: &str) -> String {
    format!("REVOKE \"{}\" FROM \"{}\"", role.replace('"', "\"\""), member.replace('"', "\"\""))
}

/// Shows a table's rows to everybody who may read it.
pub(crate) fn show_rows(schema: &str, table: &str) -> String {
    format!("ALTER TABLE \"{schema}\".\"{table}\" DISABLE ROW LEVEL SECURITY")
}

/// Takes away what a session's login has beyond its policy, where one statement does.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) fn of_right(
    target: &Target,
    login: &str,
    object: &Object,
    privilege: &str,
) -> Option<String> {
    if let Some(role) = privilege.strip_prefix("role ") {
        return (target.engine == Engine::Postgres).then(|| leave(role, login));
    }
    match object {
        Object::Server if target.engine == Engine::Postgres => {
            privilege.starts_with("OWNER of").then(|| reassign(login))
        }
        Object::Table(..) if privilege == "OWNER" => Some(reassign(login)),
        object => Some(revoke(target, login, object, privilege)),
    }
}
