//! What would have to be done to a server.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;

use super::diff::diff;
use super::drift::{Drift, drift};
use super::inspect::{Inspected, exists, inspect};
use super::refusal::refusal;
use super::site::Site;
use super::state::{Change, State};
use super::statement::{Statement, Verifiers, statements};
use super::wanted::wanted;
use super::{GrantError, Policy};

/// What there is, what there should be, and the way.
#[derive(Debug)]
pub struct Plan {
    /// What was found.
    pub found: Inspected,
    /// The way from one to the other.
    pub changes: Vec<Change>,
    /// The same as SQL, without passwords.
    pub statements: Vec<Statement>,
}

impl Plan {
    /// How the server differs, and what beside the policy touches what it governs.
    pub fn drift(&self, site: &Site) -> Vec<Drift> {
        let there = |object: &_| exists(&site.catalog, &self.found.state, &site.target, object);
        let mut all = drift(&self.found.state, &self.changes, there);
        all.extend(self.found.foreign.iter().cloned());
        all.sort();
        all.dedup();
        all
    }
}

/// The logins that are to be open, and what the accounts' passwords are set to.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// Logins that may log in.
    pub open: BTreeSet<String>,
    /// The password verifiers that go into SQL; empty for a plan that is shown and not applied.
    pub verifiers: Verifiers,
}

/// Inspects the server, and plans the way to the policy. Writes nothing.
pub(crate) async fn plan(
    db: &impl ConnectionTrait,
    site: &Site,
    policy: &Policy,
    accounts: &Accounts,
) -> Result<Plan, GrantError> {
    let found = inspect(db, &site.target, policy).await;
    let found = found.map_err(|error| {
        refusal(&site.target, &error, "a look at the server's accounts and grants")
    })?;
    let wanted = if site.has_accounts() {
        wanted(policy, &site.target, &accounts.open)
    } else {
        State::default()
    };
    let changes = diff(&found.state, &wanted);
    let statements = statements(&site.target, &found.state, &changes, &accounts.verifiers);
    Ok(Plan { found, changes, statements })
}
