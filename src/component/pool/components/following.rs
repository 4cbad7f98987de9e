//! Following the policy in force and the logins in use, for as long as the components are held.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Components;
use crate::component::pool::component::ComponentHandle;
use crate::component::pool::rights::Expected;
use crate::key::PolicyKeys;
use crate::policy::{GrantError, stored};

/// How soon a program follows a login that was rotated, or a policy that was applied.
const WATCH: Duration = Duration::from_millis(500);

/// Follows policies and rotations for as long as somebody holds the components.
pub(super) async fn watch(components: Weak<Components>) {
    loop {
        tokio::time::sleep(WATCH).await;
        let Some(components) = components.upgrade() else { return };
        if let Err(error) = components.follow_policy().await {
            tracing::warn!(%error, "the policy in force could not be looked up");
        }
        if let Err(error) = components.follow_own_login().await {
            tracing::warn!(%error, "the program's own login could not be looked up");
        }
        let open: Vec<_> = components.read().open.values().cloned().collect();
        for component in open {
            if let Err(error) = components.follow_login(&component).await {
                tracing::warn!(component = component.name(), %error, "the component's login could not be looked up");
            }
        }
    }
}

impl Components {
    /// Gives a component the login that is in use now, if that is another.
    async fn follow_login(&self, component: &ComponentHandle) -> Result<(), GrantError> {
        let (name, policy) = (component.name(), self.policy());
        let Some(of) = policy.components.get(name).filter(|_| self.target.engine.has_logins())
        else {
            return Ok(());
        };
        let Some((login, address)) = self.login(name, &component.login()).await? else {
            return Ok(());
        };
        let expected = Expected::new(&self.target, &policy, name, of, &login);
        tracing::info!(component = name, login, "using another login");
        Ok(component.switch(&address, login, expected).await?)
    }

    async fn follow_own_login(&self) -> Result<(), GrantError> {
        let Some(own) = self.own.as_ref().filter(|_| self.target.engine.has_logins()) else {
            return Ok(());
        };
        let Some((login, address)) = self.login(own.name(), &own.login()).await? else {
            return Ok(());
        };
        let policy = self.policy();
        let of = policy
            .components
            .get(own.name())
            .ok_or_else(|| GrantError::UnknownComponent(own.name().to_owned()))?;
        let expected = Expected::new(&self.target, &policy, own.name(), of, &login);
        tracing::info!(
            component = own.name(),
            login,
            "using another login, which the configured address should name from now on"
        );
        Ok(own.switch(&address, login, expected).await?)
    }

    /// Holds every pool to the policy that is in force now, if that is another. On SQLite a connection keeps the rights that
    /// it was opened with: handles that are asked for from now on have pools of their own.
    async fn follow_policy(&self) -> Result<(), GrantError> {
        let number = stored::newest(&self.keeper).await?;
        if number == self.read().number {
            return Ok(());
        }
        let keys = PolicyKeys::load(&self.keeper, self.access.clone()).await?;
        let policy =
            Arc::new(stored::in_force(&self.keeper, &keys).await?.ok_or(GrantError::NoPolicy)?);
        let mut current = self.write();
        // Other limits make another pool.
        current.open.retain(|name, open| {
            let of = policy.components.get(name);
            self.target.engine.has_logins() && of.is_some_and(|of| of.limits == *open.limits())
        });
        for (name, component) in &current.open {
            if let Some(of) = policy.components.get(name) {
                let expected = Expected::new(&self.target, &policy, name, of, &component.login());
                component.hold_to(expected, of, &self.ring, &self.keeper);
            }
        }
        if let Some((own, of)) =
            self.own.as_ref().and_then(|own| Some((own, policy.components.get(own.name())?)))
        {
            own.expect(Expected::new(&self.target, &policy, own.name(), of, &own.login()));
        }
        (current.policy, current.number) = (policy, number);
        Ok(())
    }
}
