//! The way into a database with a component's login.

use sea_orm::DbErr;
use secrecy::SecretString;

use super::open::open;
use super::rights::{Expected, Refused};
use super::rolling::PoolSettings;
use crate::db::{self, Address};
use crate::policy::wanted::Target;
use crate::policy::{GrantError, Limits, Policy};

/// A component's login, with its password.
pub struct Credentials<'a> {
    /// The component.
    pub component: &'a str,
    /// The account.
    pub user: &'a str,
    /// Its password.
    pub password: &'a SecretString,
}

/// Logs in, and refuses a login that is another one, or can do more than the policy says.
pub async fn try_login(
    address: &Address,
    target: &Target,
    policy: &Policy,
    login: &Credentials<'_>,
) -> Result<(), GrantError> {
    let name = login.component;
    let component =
        policy.components.get(name).ok_or_else(|| GrantError::UnknownComponent(name.to_owned()))?;
    let address = &login_address(address, target, login)?;
    let expected = Expected::new(target, policy, name, component, login.user);
    let limits = &Limits::default();
    let settings = PoolSettings { address, name, component, expected, limits, size: 1 };
    open(settings)?.probe().await.map_err(|error| refused(name, error))
}

/// Where a component's login goes: on MariaDB to the schema with its views.
pub(super) fn login_address(
    address: &Address,
    target: &Target,
    login: &Credentials<'_>,
) -> Result<Address, GrantError> {
    let database = target.view_schema(login.component);
    let missing = || GrantError::Login {
        component: login.component.to_owned(),
        reason: "the database's address takes no login".to_owned(),
    };
    address.with_login(login.user, login.password, database.as_deref()).ok_or_else(missing)
}

/// The reason, where the login was looked at; or what the server said to it.
pub(super) fn refused(name: &str, error: DbErr) -> GrantError {
    let found = db::configuration::<Refused>(&error).map(|refused| refused.reason.clone());
    match found {
        Some(reason) => GrantError::Login { component: name.to_owned(), reason },
        None => GrantError::Database(error),
    }
}
