//! The way into a database with a component's login.

use sea_orm::DbErr;
use secrecy::SecretString;
use strongroom_migration::Engine;

use super::open::open;
use super::rights::{Expected, Refused};
use crate::db::{self, Address};
use crate::policy::wanted::Target;
use crate::policy::{GrantError, Limits, Policy};

/// Logs in, and sees that the login is the one it should be and can do no more than the policy says.
pub(crate) async fn try_login(
    address: &Address,
    target: &Target,
    policy: &Policy,
    name: &str,
    user: &str,
    password: &SecretString,
) -> Result<(), GrantError> {
    let component =
        policy.components.get(name).ok_or_else(|| GrantError::UnknownComponent(name.to_owned()))?;
    let address = login_address(address, target, name, user, password)?;
    let expected = Expected::new(target, policy, name, component, user);
    let pool = open(&address, name, component, expected, &Limits::default(), 1)?;
    pool.probe().await.map_err(|error| refused(name, error))
}

/// Where a component's login goes: on MariaDB to the schema with its views.
pub(super) fn login_address(
    address: &Address,
    target: &Target,
    name: &str,
    user: &str,
    password: &SecretString,
) -> Result<Address, GrantError> {
    let database = (target.engine == Engine::MariaDb).then(|| target.names.view_schema(name));
    let missing = || GrantError::Login {
        component: name.to_owned(),
        reason: "the database's address takes no login".to_owned(),
    };
    address.with_login(user, password, database.as_deref()).ok_or_else(missing)
}

/// The reason, where the login was looked at; or what the server said to it.
pub(super) fn refused(name: &str, error: DbErr) -> GrantError {
    let found = db::configuration::<Refused>(&error).map(|refused| refused.reason.clone());
    match found {
        Some(reason) => GrantError::Login { component: name.to_owned(), reason },
        None => GrantError::Database(error),
    }
}
