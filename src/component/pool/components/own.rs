//! The keeper's pool, where the keeper is a component itself.

use std::sync::{PoisonError, RwLock};

use sea_orm::{DatabaseConnection, DbErr};

use super::share;
use crate::component::pool::login::refused;
use crate::component::pool::open::open;
use crate::component::pool::rights::Expected;
use crate::component::pool::rolling::{PoolSettings, Rolling};
use crate::db::Address;
use crate::policy::names::Slot;
use crate::policy::wanted::Target;
use crate::policy::{GrantError, Policy};

/// A component, and its login as it was last seen.
pub(super) struct Own {
    name: String,
    pool: Box<dyn Rolling>,
    login: RwLock<String>,
}

impl Own {
    pub(super) async fn open(
        name: &str,
        programs: u32,
        address: &Address,
        target: &Target,
        policy: &Policy,
    ) -> Result<Self, GrantError> {
        let component = policy
            .components
            .get(name)
            .ok_or_else(|| GrantError::UnknownComponent(name.to_owned()))?;
        let login = address.user().unwrap_or_default();
        let expected = Expected::new(target, policy, name, component, &login);
        let is_own = || Slot::ALL.iter().any(|slot| target.names.login(name, *slot) == login);
        if target.engine.has_logins() && !is_own() {
            let reason = format!(
                "the database's address names `{login}`, which is not one of its own logins"
            );
            return Err(GrantError::Login { component: name.to_owned(), reason });
        }
        let (limits, size) = (&component.limits, share(component, programs));
        let pool = open(PoolSettings { address, name, component, expected, limits, size })?;
        pool.probe().await.map_err(|error| refused(name, error))?;
        Ok(Self { name: name.to_owned(), pool, login: RwLock::new(login) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn database(&self) -> DatabaseConnection {
        self.pool.database()
    }

    pub(super) fn login(&self) -> String {
        self.login.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn expect(&self, expected: Expected) {
        self.pool.expect(expected);
    }

    pub(super) fn drop_sessions(&self) {
        self.pool.drop_sessions();
    }

    pub(super) async fn switch(
        &self,
        address: &Address,
        login: String,
        expected: Expected,
    ) -> Result<(), DbErr> {
        self.pool.switch(address, &self.name, expected).await?;
        *self.login.write().unwrap_or_else(PoisonError::into_inner) = login;
        Ok(())
    }
}
