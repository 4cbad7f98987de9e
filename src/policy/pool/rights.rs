//! What a login can do, as the server tells the login itself, and what it may do.

use std::collections::BTreeSet;

use sea_orm::sqlx;
use strongroom_migration::Engine;

use crate::policy::wanted::Target;
use crate::policy::{Component, Policy, Verb};

/// What one login is expected to be able to do, at most. A right is a line of text: `schema.table.column SELECT`,
/// `schema.table DELETE`, or a word such as `SUPERUSER`.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    component: String,
    user: String,
    allowed: BTreeSet<String>,
    /// Tables that the policy governs: a right on any other is excused where everybody is known to have some.
    governed: BTreeSet<String>,
    excuses_others: bool,
}

impl Expected {
    pub(super) fn new(target: &Target, policy: &Policy, name: &str, component: &Component, user: &str) -> Self {
        let role = target.names.role(name);
        let schema = if target.engine == Engine::MariaDb { target.names.view_schema(name) } else { target.schema.clone() };
        let mut allowed = BTreeSet::from([format!("role {role}")]);
        for (table, rights) in &component.tables {
            for verb in Verb::OF_COLUMNS {
                allowed
                    .extend(rights.columns(verb).into_iter().flatten().map(|column| format!("{schema}.{table}.{column} {verb}")));
            }
            allowed.extend(rights.delete.then(|| format!("{schema}.{table} {}", Verb::Delete)));
        }
        Self {
            component: name.to_owned(),
            user: user.to_owned(),
            allowed,
            governed: policy.tables().into_iter().map(|table| format!("{schema}.{table}")).collect(),
            excuses_others: policy.known.contains("PUBLIC"),
        }
    }

    /// Fails with [`Refused`] when the session's login is another, or can do more than it may.
    pub(super) fn require(&self, user: &str, rights: &[String]) -> Result<(), sqlx::Error> {
        self.refusal(user, rights).map_or(Ok(()), |refused| Err(sqlx::Error::Configuration(Box::new(refused))))
    }

    /// Why this login must not be used, if so.
    fn refusal(&self, user: &str, rights: &[String]) -> Option<Refused> {
        // A pool that finds no good session says nothing of the reason to whoever waits for one.
        let refused = |reason: String| {
            tracing::warn!(component = self.component, reason, "a session is refused");
            Some(Refused { component: self.component.clone(), reason })
        };
        if user != self.user {
            return refused(format!("the session is {user}'s and not {}'s", self.user));
        }
        let excess = rights.iter().find(|right| !self.allowed.contains(*right) && !self.is_excused(right));
        excess.and_then(|right| refused(format!("it may do more than the policy says: {right}")))
    }

    fn is_excused(&self, right: &str) -> bool {
        self.excuses_others
            && right.contains('.')
            && !self
                .governed
                .iter()
                .any(|table| right.starts_with(&format!("{table}.")) || right.starts_with(&format!("{table} ")))
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
