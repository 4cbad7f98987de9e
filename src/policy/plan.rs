//! What would have to be done to a server.

use sea_orm::ConnectionTrait;

use super::apply::told;
use super::diff::diff;
use super::drift::{Drift, drift};
use super::inspect::{Inspected, exists, inspect};
use super::login::{LoginState, Logins};
use super::names::Slot;
use super::site::Site;
use super::state::{Change, State};
use super::statement::{Statement, Verifiers, statements};
use super::wanted::wanted;
use super::{GrantError, Policy};

/// What there is, what there should be, and the way.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What was found.
    pub found: Inspected,
    /// The way from one to the other.
    pub changes: Vec<Change>,
    /// The same as SQL, without passwords.
    pub statements: Vec<Statement>,
}

impl Plan {
    /// How the server differs, and what beside the policy touches what it governs.
    pub(crate) fn drift(&self, site: &Site) -> Vec<Drift> {
        let there = |object: &_| exists(&site.catalog, &self.found.state, &site.target, object);
        let mut all = drift(&self.found.state, &self.changes, there);
        all.extend(self.found.foreign.iter().cloned());
        all.sort();
        all.dedup();
        all
    }
}

/// Looks at the server. Writes nothing. Components without a login yet are counted as if they had their first.
pub(crate) async fn plan(
    db: &impl ConnectionTrait,
    site: &Site,
    policy: &Policy,
) -> Result<Plan, GrantError> {
    let logins = Logins::read(db).await?;
    let mut open = logins.open(&site.target.names);
    open.retain(|login| {
        site.target
            .names
            .parse_login(login)
            .is_some_and(|(of, _)| policy.components.contains_key(of))
    });
    let new = policy
        .components
        .keys()
        .filter(|component| logins.find(component, LoginState::Active).is_none());
    open.extend(new.map(|component| site.target.names.login(component, Slot::A)));
    look(db, site, policy, &open, &Verifiers::new()).await
}

/// The same, with the logins that are to be open, and with their passwords.
pub(super) async fn look(
    db: &impl ConnectionTrait,
    site: &Site,
    policy: &Policy,
    open: &std::collections::BTreeSet<String>,
    verifiers: &Verifiers,
) -> Result<Plan, GrantError> {
    let found = inspect(db, &site.target, policy).await;
    let found = found.map_err(|error| {
        told(&site.target, &error, "a look at the server's accounts and grants")
    })?;
    let wanted =
        if site.has_accounts() { wanted(policy, &site.target, open) } else { State::default() };
    let changes = diff(&found.state, &wanted);
    let statements = statements(&site.target, &found.state, &changes, verifiers);
    Ok(Plan { found, changes, statements })
}
