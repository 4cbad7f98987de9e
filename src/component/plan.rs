//! Plans with the logins that the components have.

use sea_orm::ConnectionTrait;

use super::login::{LoginState, Logins};
use crate::policy::names::Slot;
use crate::policy::plan::{self, Accounts, Plan};
use crate::policy::statement::Verifiers;
use crate::policy::{GrantError, Policy, Site};

/// Plans the way to a policy. Writes nothing. A component without a login counts as if it had its first.
pub async fn plan(
    db: &impl ConnectionTrait,
    site: &Site,
    policy: &Policy,
) -> Result<Plan, GrantError> {
    let logins = Logins::read(db).await?;
    let mut accounts = open_accounts(&logins, site, policy);
    let new = policy
        .components
        .keys()
        .filter(|component| logins.find(component, LoginState::Active).is_none());
    accounts.open.extend(new.map(|component| site.target.names.login(component, Slot::A)));
    plan::plan(db, site, policy, &accounts).await
}

/// Plans the way to an earlier policy, with the logins that exist. Writes nothing.
pub(super) async fn plan_back(
    db: &impl ConnectionTrait,
    site: &Site,
    policy: &Policy,
) -> Result<Plan, GrantError> {
    plan::plan(db, site, policy, &open_accounts(&Logins::read(db).await?, site, policy)).await
}

/// Returns the open logins of the policy's components.
fn open_accounts(logins: &Logins, site: &Site, policy: &Policy) -> Accounts {
    let names = &site.target.names;
    let mut open = logins.open(names);
    open.retain(|login| {
        names.parse_login(login).is_some_and(|(of, _)| policy.components.contains_key(of))
    });
    Accounts { open, verifiers: Verifiers::new() }
}
