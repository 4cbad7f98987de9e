//! The SQL of MySQL and MariaDB.

use strongroom_migration::Engine;

use super::{HIDDEN, privileges};
use crate::policy::diff::DEFAULT;
use crate::policy::state::{Change, ENABLED, Grant, Kind, Object};
use crate::policy::wanted::Target;

pub(super) fn sql(target: &Target, group: &[Change]) -> Vec<String> {
    let Some(first) = group.first() else { return Vec::new() };
    match first {
        Change::Grant(_) | Change::Revoke(_) => vec![of_grants(target, group)],
        change => of_change(target, change).into_iter().collect(),
    }
}

fn of_change(target: &Target, change: &Change) -> Option<String> {
    let maria = target.engine == Engine::MariaDb;
    Some(match change {
        Change::CreateSchema(schema) => format!("CREATE SCHEMA {}", quoted(schema)),
        Change::DropSchema(schema) => format!("DROP SCHEMA {}", quoted(schema)),
        Change::PutView(schema, table, columns) => view(target, schema, table, columns),
        Change::DropView(schema, table) => {
            format!("DROP VIEW {}.{}", quoted(schema), quoted(table))
        }
        Change::CreateAccount(name, Kind::Role) => format!("CREATE ROLE {}", account(target, name)),
        // The account is locked and has a password from the start. Nobody knows that of the standby account.
        Change::CreateAccount(name, Kind::Login) => {
            format!("CREATE USER {} {} ACCOUNT LOCK", account(target, name), identified(target))
        }
        Change::DropAccount(name, kind) => {
            format!(
                "DROP {} {}",
                if *kind == Kind::Role { "ROLE" } else { "USER" },
                account(target, name)
            )
        }
        Change::Set(name, setting, value) => {
            format!("ALTER USER {} {}", account(target, name), of_setting(target, setting, value))
        }
        Change::AddMember(role, member) => {
            format!("GRANT {} TO {}", account(target, role), account(target, member))
        }
        Change::UseMember(role, member) => {
            let to = if maria { "FOR" } else { "TO" };
            format!("SET DEFAULT ROLE {} {to} {}", account(target, role), account(target, member))
        }
        Change::DropMember(role, member) => {
            format!("REVOKE {} FROM {}", account(target, role), account(target, member))
        }
        Change::Grant(_) | Change::Revoke(_) => return None,
    })
}

/// The views bear the tables' names, so that programs need not know of them. Their definer is whoever migrates.
fn view(target: &Target, schema: &str, table: &str, columns: &[String]) -> String {
    let columns = columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
    format!(
        "CREATE OR REPLACE ALGORITHM = MERGE SQL SECURITY DEFINER VIEW {}.{} AS SELECT {columns} FROM {}.{}",
        quoted(schema),
        quoted(table),
        quoted(&target.schema),
        quoted(table)
    )
}

/// MariaDB takes a hash, unless it has rules for passwords: it refuses what it cannot look at.
fn identified(target: &Target) -> String {
    let hash = if target.engine == Engine::MariaDb && !target.looks_at_passwords {
        "PASSWORD "
    } else {
        ""
    };
    format!("IDENTIFIED BY {hash}{HIDDEN}")
}

fn of_setting(target: &Target, setting: &str, value: &str) -> String {
    match (setting, value) {
        (ENABLED, "true") => format!("{} ACCOUNT UNLOCK", identified(target)),
        (ENABLED, _) => "ACCOUNT LOCK".to_owned(),
        ("certificate", "true") => "REQUIRE X509".to_owned(),
        ("certificate", _) => "REQUIRE NONE".to_owned(),
        ("statement_timeout", DEFAULT) => "WITH MAX_STATEMENT_TIME 0".to_owned(),
        ("statement_timeout", ms) => format!("WITH MAX_STATEMENT_TIME {}", seconds(ms)),
        (_, DEFAULT) => "WITH MAX_USER_CONNECTIONS 0".to_owned(),
        (_, limit) => format!("WITH MAX_USER_CONNECTIONS {limit}"),
    }
}

/// Milliseconds as seconds with a fraction.
fn seconds(ms: &str) -> String {
    let ms: u64 = ms.parse().unwrap_or_default();
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn of_grants(target: &Target, group: &[Change]) -> String {
    let grants: Vec<&Grant> = group
        .iter()
        .filter_map(|change| match change {
            Change::Grant(grant) | Change::Revoke(grant) => Some(grant),
            _ => None,
        })
        .collect();
    let (verb, to) = if matches!(group.first(), Some(Change::Grant(_))) {
        ("GRANT", "TO")
    } else {
        ("REVOKE", "FROM")
    };
    let Some(first) = grants.first() else { return String::new() };
    let what = privileges(&grants, quoted);
    format!("{verb} {what} ON {} {to} {}", object(&first.object), account(target, &first.grantee))
}

fn object(object: &Object) -> String {
    match object {
        Object::Server => "*.*".to_owned(),
        Object::Database(name) | Object::Schema(name) => format!("{}.*", quoted(name)),
        Object::Table(schema, table) | Object::Column(schema, table, _) => {
            format!("{}.{}", quoted(schema), quoted(table))
        }
    }
}

/// An account of ours is known by its name alone; anybody else's comes with its host.
fn account(target: &Target, name: &str) -> String {
    if name == "PUBLIC" {
        return name.to_owned();
    }
    let text = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    match name.rsplit_once('@') {
        Some((user, host)) => format!("{}@{}", text(user), text(host)),
        None if target.engine == Engine::MariaDb && target.names.parse_login(name).is_none() => {
            text(name)
        }
        None => format!("{}@'%'", text(name)),
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
