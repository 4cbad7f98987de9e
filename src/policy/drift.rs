//! How a server differs from the policy that should hold there, in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::state::{Change, ENABLED, Object, State, USED};

/// One difference, or one thing beside the policy that touches what it governs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Drift {
    /// `missing`, `extra`, `stale`, `setting`, `disabled`, `enabled`, `superuser`, `membership`, `view`, `foreign`, `public`,
    /// `owner`, `anonymous`, `row_security` or `policy`.
    pub kind: String,
    /// The account.
    pub grantee: String,
    /// On what.
    pub object: String,
    /// The privilege, or the setting and its value.
    pub privilege: String,
    /// The statement that an administrator of the server ends it with; none where `policy apply` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Drift {
    /// A finding: its kind, the grantee, the object and the privilege.
    pub fn new(
        kind: &str,
        grantee: impl Into<String>,
        object: impl fmt::Display,
        privilege: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            grantee: grantee.into(),
            object: object.to_string(),
            privilege: privilege.into(),
            cure: None,
        }
    }

    /// Adds the statement with which an administrator ends the drift.
    #[must_use]
    pub fn cured_by(self, sql: String) -> Self {
        Self { cure: Some(sql), ..self }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<10} {:<32} {:<48} {}", self.kind, self.grantee, self.object, self.privilege)
    }
}

/// What each change would put right. `exists` says whether a column or table is there.
pub(crate) fn drift(
    now: &State,
    changes: &[Change],
    exists: impl Fn(&Object) -> bool,
) -> Vec<Drift> {
    let mut drift: Vec<Drift> =
        changes.iter().filter_map(|change| of(now, change, &exists)).collect();
    drift.sort();
    drift.dedup();
    drift
}

fn of(now: &State, change: &Change, exists: &impl Fn(&Object) -> bool) -> Option<Drift> {
    // What belongs to an account or a schema that is not there is no news beside its absence.
    let lacks = |account: &String| !now.accounts.contains_key(account);
    Some(match change {
        Change::Grant(grant) if lacks(&grant.grantee) => return None,
        Change::AddMember(role, member) | Change::UseMember(role, member)
            if lacks(role) || lacks(member) =>
        {
            return None;
        }
        Change::Set(account, ..) if lacks(account) => return None,
        Change::PutView(schema, ..) if !now.schemas.contains(schema) => return None,
        Change::Grant(grant) => {
            Drift::new("missing", &grant.grantee, &grant.object, &grant.privilege)
        }
        Change::Revoke(grant) => {
            let kind = if exists(&grant.object) { "extra" } else { "stale" };
            Drift::new(kind, &grant.grantee, &grant.object, &grant.privilege)
        }
        Change::CreateAccount(name, _) => Drift::new("missing", name, "account", ""),
        Change::DropAccount(name, _) => Drift::new("extra", name, "account", ""),
        Change::AddMember(role, member) | Change::UseMember(role, member) => {
            let how =
                now.members.get(&(role.clone(), member.clone())).map_or("missing", String::as_str);
            Drift::new("membership", member, format!("role {role}"), how)
        }
        Change::DropMember(role, member) => {
            let how = now.members.get(&(role.clone(), member.clone())).filter(|how| *how != USED);
            Drift::new(
                "membership",
                member,
                format!("role {role}"),
                how.map_or("extra", String::as_str),
            )
        }
        Change::Set(account, setting, value) => of_setting(now, account, setting, value),
        Change::CreateSchema(schema) => {
            Drift::new("missing", schema, format!("schema {schema}"), "")
        }
        Change::DropSchema(schema) => Drift::new("extra", schema, format!("schema {schema}"), ""),
        Change::PutView(schema, view, _) => {
            let there = now.views.contains_key(&(schema.clone(), view.clone()));
            let what = if there { "shows something else" } else { "missing" };
            Drift::new("view", schema, format!("{schema}.{view}"), what)
        }
        Change::DropView(schema, view) => {
            Drift::new("view", schema, format!("{schema}.{view}"), "extra")
        }
    })
}

fn of_setting(now: &State, account: &str, setting: &str, value: &str) -> Drift {
    let has = now
        .settings
        .get(&(account.to_owned(), setting.to_owned()))
        .map_or("default", String::as_str);
    match (setting, value) {
        (ENABLED, "true") => Drift::new("disabled", account, "account", "cannot log in"),
        (ENABLED, _) => Drift::new("enabled", account, "account", "can log in"),
        ("superuser", _) => Drift::new("superuser", account, "account", "SUPERUSER"),
        _ => Drift::new("setting", account, "account", format!("{setting} is {has}, not {value}")),
    }
}
