//! PostgreSQL's SQL.

use super::{HIDDEN, privileges};
use crate::policy::diff::DEFAULT;
use crate::policy::state::{Change, ENABLED, Grant, Object};
use crate::policy::wanted::{POSTGRES_ATTRIBUTES, SEARCH_PATH, Target};

pub(super) fn sql(target: &Target, group: &[Change]) -> Vec<String> {
    let Some(first) = group.first() else { return Vec::new() };
    match first {
        Change::Grant(_) | Change::Revoke(_) => vec![of_grants(group)],
        change => of_change(target, change),
    }
}

fn of_change(target: &Target, change: &Change) -> Vec<String> {
    let one = match change {
        Change::CreateAccount(name, _) => format!("CREATE ROLE {} NOLOGIN", quoted(name)),
        Change::DropAccount(name, _) => format!("DROP ROLE {}", quoted(name)),
        Change::Set(account, setting, value) if setting == SEARCH_PATH => {
            let what = if value == DEFAULT {
                "RESET search_path".to_owned()
            } else {
                format!("SET search_path = {}", quoted(value))
            };
            format!(
                "ALTER ROLE {} IN DATABASE {} {what}",
                quoted(account),
                quoted(&target.database)
            )
        }
        Change::Set(account, setting, value) => {
            format!("ALTER ROLE {} {}", quoted(account), of_setting(setting, value))
        }
        // Rights come by inheriting; switching to the role would let a session shed its own name.
        // One statement does both.
        Change::UseMember(role, member) if target.version < WITH_OPTIONS => {
            return vec![
                format!("GRANT {} TO {}", quoted(role), quoted(member)),
                format!("ALTER ROLE {} INHERIT", quoted(member)),
            ];
        }
        Change::UseMember(role, member) => {
            format!(
                "GRANT {} TO {} WITH INHERIT TRUE, SET FALSE, ADMIN FALSE",
                quoted(role),
                quoted(member)
            )
        }
        Change::DropMember(role, member) => {
            format!("REVOKE {} FROM {}", quoted(role), quoted(member))
        }
        _ => return Vec::new(),
    };
    vec![one]
}

/// The first version whose memberships say whether they are inherited, and whether a session may switch to the role.
pub(in crate::policy) const WITH_OPTIONS: u32 = 16;

fn of_setting(setting: &str, value: &str) -> String {
    match (setting, value) {
        (ENABLED, "true") => format!("LOGIN PASSWORD {HIDDEN}"),
        (ENABLED, _) => "NOLOGIN PASSWORD NULL".to_owned(),
        ("connections", DEFAULT) => "CONNECTION LIMIT -1".to_owned(),
        ("connections", limit) => format!("CONNECTION LIMIT {limit}"),
        (attribute, value) if POSTGRES_ATTRIBUTES.contains(&attribute) => {
            format!("{}{}", if value == "true" { "" } else { "NO" }, attribute.to_uppercase())
        }
        (setting, DEFAULT) => format!("RESET {}", quoted(setting)),
        (setting, value) => format!("SET {} = '{}'", quoted(setting), value.replace('\'', "''")),
    }
}

fn of_grants(group: &[Change]) -> String {
    let (grants, verb, to) = match group.first() {
        Some(Change::Grant(_)) => (of(group), "GRANT", "TO"),
        _ => (of(group), "REVOKE", "FROM"),
    };
    let Some(first) = grants.first() else { return String::new() };
    let (what, on) = (privileges(&grants, quoted), object(&first.object));
    let grantee =
        if first.grantee == "PUBLIC" { "PUBLIC".to_owned() } else { quoted(&first.grantee) };
    match what.strip_prefix("GRANT OPTION FOR ") {
        Some(rest) if verb == "GRANT" => {
            format!("GRANT {rest} ON {on} TO {grantee} WITH GRANT OPTION")
        }
        _ => format!("{verb} {what} ON {on} {to} {grantee}"),
    }
}

fn of(group: &[Change]) -> Vec<&Grant> {
    let grants = group.iter().filter_map(|change| match change {
        Change::Grant(grant) | Change::Revoke(grant) => Some(grant),
        _ => None,
    });
    grants.collect()
}

fn object(object: &Object) -> String {
    match object {
        Object::Database(name) => format!("DATABASE {}", quoted(name)),
        Object::Schema(name) => format!("SCHEMA {}", quoted(name)),
        Object::Table(schema, table) | Object::Column(schema, table, _) => {
            format!("{}.{}", quoted(schema), quoted(table))
        }
        Object::Server => object.to_string(),
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
