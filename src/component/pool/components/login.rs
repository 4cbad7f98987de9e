//! The login of a component that is in use.

use secrecy::SecretString;

use super::Components;
use crate::component::login::{LoginState, Logins};
use crate::component::pool::login::{Credentials, login_address};
use crate::db::Address;
use crate::key::PolicyKeys;
use crate::policy::GrantError;

/// A component's database login, for handing to its programs.
pub struct OwnLogin {
    /// The account.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// Where its tables are.
    pub database: String,
}

impl Components {
    /// See [`Components::login_of`].
    pub(super) async fn own_login(&self, name: &str) -> Result<OwnLogin, GrantError> {
        let logins = Logins::read(&self.keeper).await?;
        let (slot, row) = logins.find(name, LoginState::Active).ok_or_else(|| missing(name))?;
        let keys = PolicyKeys::load(&self.keeper, self.access.clone()).await?;
        Ok(OwnLogin {
            user: self.target.names.login(name, slot),
            password: keys.password(row)?.text(),
            database: self.target.database_of(name),
        })
    }

    /// The login in use and the way to the database by it, unless it is `known`.
    pub(super) async fn login(
        &self,
        name: &str,
        known: &str,
    ) -> Result<Option<(String, Address)>, GrantError> {
        let logins = Logins::read(&self.keeper).await?;
        let (slot, row) = logins.find(name, LoginState::Active).ok_or_else(|| missing(name))?;
        let login = self.target.names.login(name, slot);
        if login == known {
            return Ok(None);
        }
        // Read anew: the ring may be under another root by now.
        let keys = PolicyKeys::load(&self.keeper, self.access.clone()).await?;
        let password = &keys.password(row)?.text();
        let credentials = Credentials { component: name, user: &login, password };
        let address = login_address(&self.address, &self.target, &credentials)?;
        Ok(Some((login, address)))
    }
}

pub(super) fn missing(name: &str) -> GrantError {
    GrantError::Login { component: name.to_owned(), reason: "it has no login in use".to_owned() }
}
