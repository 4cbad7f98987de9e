//! Accounts, their settings, and memberships.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_migration::Engine;

use super::{account_of, all, text, unbound};
use crate::policy::diff::DEFAULT;
use crate::policy::state::{ADDED, ENABLED, Kind, State, USED};
use crate::policy::wanted::Target;

pub(super) async fn accounts(
    db: &impl ConnectionTrait,
    target: &Target,
    state: &mut State,
) -> Result<(), DbErr> {
    let sql = match target.engine {
        Engine::MariaDb => {
            "SELECT CAST(u.User AS CHAR) AS name, CAST(u.Host AS CHAR) AS host, CAST(u.ssl_type AS CHAR) AS tls, \
             CAST(u.max_user_connections AS CHAR) AS connections, CAST(CAST(u.max_statement_time * 1000 AS INTEGER) AS CHAR) AS ms, \
             CAST(coalesce(json_value(p.Priv, '$account_locked'), 'false') AS CHAR) AS locked, CAST(u.is_role AS CHAR) AS role \
             FROM mysql.user u JOIN mysql.global_priv p ON p.User = u.User AND p.Host = u.Host WHERE left(u.User, length($1)) = $2"
        }
        _ => {
            "SELECT CAST(User AS CHAR) AS name, CAST(Host AS CHAR) AS host, CAST(ssl_type AS CHAR) AS tls, \
             CAST(max_user_connections AS CHAR) AS connections, '0' AS ms, \
             CAST(account_locked = 'Y' AS CHAR) AS locked, 'N' AS role FROM mysql.user WHERE left(User, length($1)) = $2"
        }
    };
    // A `$` is a parameter in this notation, and the start of a path in JSON.
    let sql = sql.replace("'$account_locked'", "concat(char(36), '.account_locked')");
    for row in all(db, &sql, [target.names.prefix().into(), target.names.prefix().into()]).await? {
        let name = account_of(&text(&row, "name")?, &text(&row, "host")?);
        let is_role = text(&row, "role")? == "Y"
            || target.names.parse_login(&name).is_none() && !name.contains('@');
        let kind = if is_role { Kind::Role } else { Kind::Login };
        let locked = matches!(text(&row, "locked")?.as_str(), "1" | "true");
        let mut set = |setting: &str, value: String| {
            state.settings.insert((name.clone(), setting.to_owned()), value)
        };
        if kind == Kind::Login || target.engine == Engine::MySql {
            set(ENABLED, (!locked).to_string());
        }
        if kind == Kind::Login {
            let or_default = |value: String| if value == "0" { DEFAULT.to_owned() } else { value };
            set("connections", or_default(text(&row, "connections")?));
            set("certificate", certificate(&text(&row, "tls")?));
            if target.engine == Engine::MariaDb {
                set("statement_timeout", or_default(text(&row, "ms")?));
            }
        }
        state.accounts.insert(name, kind);
    }
    Ok(())
}

fn certificate(tls: &str) -> String {
    match tls {
        "X509" => "true".to_owned(),
        "" => "false".to_owned(),
        other => other.to_lowercase(),
    }
}

/// Every edge from a role of ours or to an account of ours, and whether it is in force at login. On MariaDB who makes a
/// role is its administrator; that is how a migrating login manages it.
pub(super) async fn members(
    db: &impl ConnectionTrait,
    target: &Target,
    state: &mut State,
) -> Result<(), DbErr> {
    let (edges, defaults) = match target.engine {
        Engine::MariaDb => (
            "SELECT CAST(Role AS CHAR) AS role, '%' AS role_host, CAST(User AS CHAR) AS member, CAST(Host AS CHAR) AS host, \
             Admin_option = 'Y' AS admin FROM mysql.roles_mapping WHERE left(User, length($1)) = $2 \
             OR left(Role, length($3)) = $4",
            "SELECT CAST(User AS CHAR) AS member, CAST(Host AS CHAR) AS host, '%' AS role_host, \
             CAST(json_value(Priv, concat(char(36), '.default_role')) AS CHAR) AS role FROM mysql.global_priv WHERE left(User, length($1)) = $2",
        ),
        _ => (
            "SELECT CAST(FROM_USER AS CHAR) AS role, CAST(FROM_HOST AS CHAR) AS role_host, CAST(TO_USER AS CHAR) AS member, \
             CAST(TO_HOST AS CHAR) AS host, WITH_ADMIN_OPTION = 'Y' AS admin FROM mysql.role_edges \
             WHERE left(TO_USER, length($1)) = $2 OR left(FROM_USER, length($3)) = $4",
            "SELECT CAST(USER AS CHAR) AS member, CAST(HOST AS CHAR) AS host, CAST(DEFAULT_ROLE_HOST AS CHAR) AS role_host, \
             CAST(DEFAULT_ROLE_USER AS CHAR) AS role FROM mysql.default_roles WHERE left(USER, length($1)) = $2",
        ),
    };
    let prefix = || target.names.prefix().into();
    let mut in_force = BTreeSet::new();
    for row in all(db, defaults, [prefix(), prefix()]).await? {
        let role: Option<String> = row.try_get("", "role")?;
        if let Some(role) = role.filter(|role| !role.is_empty()) {
            let member = account_of(&text(&row, "member")?, &text(&row, "host")?);
            in_force.insert((account_of(&role, &text(&row, "role_host")?), member));
        }
    }
    let nobody_binds = unbound(db, target).await?;
    for row in all(db, edges, [prefix(), prefix(), prefix(), prefix()]).await? {
        let role = account_of(&text(&row, "role")?, &text(&row, "role_host")?);
        let member = account_of(&text(&row, "member")?, &text(&row, "host")?);
        let (is_used, is_admin) = (
            in_force.contains(&(role.clone(), member.clone())),
            row.try_get::<i64>("", "admin")? != 0,
        );
        if is_admin && nobody_binds.contains(&member) {
            continue;
        }
        let how = match (is_used, is_admin) {
            (true, false) => USED,
            (_, true) => "administers it",
            (false, false) => ADDED,
        };
        state.members.insert((role, member), how.to_owned());
    }
    Ok(())
}
