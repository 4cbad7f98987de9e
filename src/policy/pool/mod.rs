//! Pools that work as one component, and no more.

mod capacity;
mod component;
mod components;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod held;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod login_pool;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "SQLite has no logins to look at")
)]
mod rights;
mod rolling;
#[cfg(feature = "sqlite")]
mod sqlite;

use secrecy::SecretString;

use self::rights::Expected;
use super::wanted::Target;
use super::{GrantError, Limits, Policy};
use crate::db::Address;

pub use capacity::Capacity;
pub use component::Component as ComponentHandle;
pub use components::{Components, OwnLogin};
pub use rights::Refused;

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
    let pool = rolling::open(&address, name, component, expected, &Limits::default(), 1)?;
    pool.probe().await.map_err(|error| refused(name, error))
}

/// Where a component's login goes: on MariaDB to the schema with its views.
fn login_address(
    address: &Address,
    target: &Target,
    name: &str,
    user: &str,
    password: &SecretString,
) -> Result<Address, GrantError> {
    let database = (target.engine == strongroom_migration::Engine::MariaDb)
        .then(|| target.names.view_schema(name));
    let missing = || GrantError::Login {
        component: name.to_owned(),
        reason: "the database's address takes no login".to_owned(),
    };
    address.with_login(user, password, database.as_deref()).ok_or_else(missing)
}

/// The reason, where the login was looked at; or what the server said to it.
fn refused(name: &str, error: sea_orm::DbErr) -> GrantError {
    let found = crate::db::configuration::<Refused>(&error).map(|refused| refused.reason.clone());
    match found {
        Some(reason) => GrantError::Login { component: name.to_owned(), reason },
        None => GrantError::Database(error),
    }
}
