//! What a login can do, as the server tells the login itself, and what it may do.

use std::collections::BTreeSet;

use sea_orm::sqlx;

use crate::policy::cure;
use crate::policy::granted::{ROW_SECURITY, Right};
use crate::policy::reach::{is_known, reaches_by_public};
use crate::policy::state::{Grant, Object};
use crate::policy::wanted::{Target, grants_of};
use crate::policy::{Component, Policy};

/// What one login is expected to be able to do, at most.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    component: String,
    user: String,
    role: String,
    allowed: BTreeSet<Grant>,
    target: Target,
    policy: Policy,
}

impl Expected {
    pub(super) fn new(
        target: &Target,
        policy: &Policy,
        name: &str,
        component: &Component,
        user: &str,
    ) -> Self {
        Self {
            component: name.to_owned(),
            user: user.to_owned(),
            role: target.names.role(name),
            allowed: grants_of(target, name, component),
            target: target.clone(),
            policy: policy.clone(),
        }
    }

    /// Fails with [`Refused`] when the session's login is another, or can do more than it may.
    pub(super) fn require(&self, user: &str, rights: &[Right]) -> Result<(), sqlx::Error> {
        self.refusal(user, rights)
            .map_or(Ok(()), |refused| Err(sqlx::Error::Configuration(Box::new(refused))))
    }

    /// Why this login must not be used, if so.
    fn refusal(&self, user: &str, rights: &[Right]) -> Option<Refused> {
        // A pool that finds no good session says nothing of the reason to whoever waits for one.
        let refused = |reason: String| {
            tracing::warn!(component = self.component, reason, "a session is refused");
            Some(Refused { component: self.component.clone(), reason })
        };
        if user != self.user {
            return refused(format!("the session is {user}'s and not {}'s", self.user));
        }
        let hidden = rights
            .iter()
            .find(|right| right.privilege == ROW_SECURITY && self.is_governed(&right.object));
        if let Some((schema, table)) = hidden.and_then(|right| right.object.table()) {
            let cure = cure::show_rows(schema, table);
            return refused(format!(
                "row-level security of {schema}.{table} may hide rows from it; `{cure}` ends that"
            ));
        }
        let excess = rights.iter().find(|right| !self.may(right))?;
        let grantee = if excess.is_publics { "PUBLIC" } else { &self.user };
        let by = if excess.is_publics { ", as everybody may" } else { "" };
        let cure = cure::of_right(&self.target, grantee, &excess.object, &excess.privilege);
        let cure = cure.map_or_else(String::new, |sql| format!("; `{sql}` takes it away"));
        refused(format!("it may do more than the policy says: {excess}{by}{cure}"))
    }

    /// Judges as `policy check` does: a right of the login's own must be one that the policy gives, and one that
    /// everybody has must not reach what the policy governs.
    fn may(&self, right: &Right) -> bool {
        let Right { object, privilege, is_publics } = right;
        if privilege == ROW_SECURITY {
            return true;
        }
        if *is_publics {
            return !reaches_by_public(&self.target, &self.policy, object, privilege);
        }
        let role = privilege.strip_prefix("role ").filter(|_| *object == Object::Server);
        if let Some(role) = role {
            return role == self.role || is_known(&self.policy, role);
        }
        self.allowed.contains(&Grant {
            grantee: self.role.clone(),
            object: object.clone(),
            privilege: privilege.clone(),
        })
    }

    fn is_governed(&self, object: &Object) -> bool {
        object.table().is_some_and(|(schema, table)| {
            schema == self.target.schema && self.policy.tables().contains(table)
        })
    }
}

/// A login that must not be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the login of `{component}` is refused: {reason}")]
pub struct Refused {
    /// Whose login it is.
    pub component: String,
    /// Why.
    pub reason: String,
}
