//! Every component of a database by its own pool, for a program that serves several of them.

mod following;
mod login;
mod own;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sea_orm::DatabaseConnection;

use super::capacity::Capacity;
use super::component::ComponentHandle;
use super::login::refused;
use super::open::open;
use super::rights::Expected;
use super::rolling::{PoolSettings, Rolling};
use crate::db::{Access, Address, connect};
use crate::key::{Epoch, PolicyKeys, Ring, RingAccess, RingError};
use crate::policy::inspect::target;
use crate::policy::names::Names;
use crate::policy::wanted::Target;
use crate::policy::{Component, GrantError, Policy, stored};

pub use login::OwnLogin;
use login::missing;
use own::Own;

/// The components of one database. The keeper is the login that reads the ring, the policy and the logins: component
/// `strongroom`'s own, or a migrator's in a tool; never one of another component.
pub struct Components {
    address: Address,
    keeper: DatabaseConnection,
    /// The keeper's pool, where it is a component's: it follows that login's rotation too.
    own: Option<Own>,
    /// How many programs share the connections that the server gives each login.
    programs: u32,
    access: RingAccess,
    ring: Arc<Ring>,
    target: Target,
    current: RwLock<Current>,
    opening: tokio::sync::Mutex<()>,
}

struct Current {
    policy: Arc<Policy>,
    number: Option<i64>,
    open: HashMap<String, Arc<ComponentHandle>>,
}

impl Components {
    /// Opens the keeper's pool, reads the policy in force, and refuses a policy whose pools the server cannot hold. The
    /// keeper's login is whatever the address says, and is not followed when it is rotated.
    pub async fn open(
        address: Address,
        access: impl Into<RingAccess>,
        names: Option<Names>,
    ) -> Result<Arc<Self>, GrantError> {
        Self::open_by(None, 1, address, access.into(), names).await
    }

    /// The same, with the login of a component as the keeper, which is held to that component's rights: an address with any
    /// other login is refused, and a login that may do more. `programs` like this one share the connections that the
    /// policy gives each component: a server counts those of one login together.
    pub async fn open_as(
        component: &str,
        programs: u32,
        address: Address,
        access: impl Into<RingAccess>,
        names: Option<Names>,
    ) -> Result<Arc<Self>, GrantError> {
        Self::open_by(Some(component), programs.max(1), address, access.into(), names).await
    }

    async fn open_by(
        component: Option<&str>,
        programs: u32,
        address: Address,
        access: RingAccess,
        names: Option<Names>,
    ) -> Result<Arc<Self>, GrantError> {
        let keeper = connect(&address, Access::Write).await?;
        let keys = PolicyKeys::load(&keeper, access.clone()).await?;
        let ring = Arc::new(Ring::load(&keeper, access.clone()).await?);
        let target = target(&keeper, names.unwrap_or_else(|| Names::of_ring(keys.ring()))).await?;
        let number = stored::newest(&keeper).await?;
        let policy = Arc::new(stored::in_force(&keeper, &keys).await?.ok_or(GrantError::NoPolicy)?);
        Capacity::read(&keeper, &policy).await?.require()?;
        let own = match component {
            Some(name) => Some(Own::open(name, programs, &address, &target, &policy).await?),
            None => None,
        };
        let keeper = match &own {
            Some(own) => {
                keeper.close().await?;
                own.database()
            }
            None => keeper,
        };
        let current = RwLock::new(Current { policy, number, open: HashMap::new() });
        let components = Arc::new(Self {
            address,
            keeper,
            own,
            programs,
            access,
            ring,
            target,
            current,
            opening: tokio::sync::Mutex::new(()),
        });
        tokio::spawn(following::watch(Arc::downgrade(&components)));
        Ok(components)
    }

    /// A component's handle; the same for everybody who asks. Its login is tried first: one that is missing, another's, or
    /// may do more than the policy says is refused, with the reason.
    pub async fn component(&self, name: &str) -> Result<Arc<ComponentHandle>, GrantError> {
        if let Some(open) = self.read().open.get(name) {
            return Ok(open.clone());
        }
        // One at a time: a session that is tried is one more than the pool has.
        let _one = self.opening.lock().await;
        loop {
            if let Some(open) = self.read().open.get(name) {
                return Ok(open.clone());
            }
            let policy = self.policy();
            let of = policy
                .components
                .get(name)
                .ok_or_else(|| GrantError::UnknownComponent(name.to_owned()))?;
            let (pool, login) = self.pool(&policy, name, of).await?;
            pool.probe().await.map_err(|error| refused(name, error))?;
            let component =
                Arc::new(ComponentHandle::new(name, of, pool, login, &self.ring, &self.keeper));
            let mut current = self.write();
            // A policy that was applied meanwhile knows nothing of this pool.
            if Arc::ptr_eq(&current.policy, &policy) {
                return Ok(current.open.entry(name.to_owned()).or_insert(component).clone());
            }
        }
    }

    /// Reads the ring's manifest again, and refuses one that this program cannot use. Returns its epoch.
    pub async fn look_at_ring(&self) -> Result<Epoch, RingError> {
        self.ring.refresh_now(&self.keeper).await?;
        self.ring.remember(&self.keeper).await?;
        Ok(self.ring.manifest().epoch)
    }

    /// The keeper: what is read and written on behalf of no component.
    pub fn keeper(&self) -> &DatabaseConnection {
        &self.keeper
    }

    /// Drops the sessions of all pools, each when it is asked for: their server turned out to take no changes.
    pub fn drop_sessions(&self) {
        self.own.iter().for_each(Own::drop_sessions);
        self.read().open.values().for_each(|component| component.drop_sessions());
    }

    /// The login that a component's own programs use; none on SQLite.
    pub async fn login_of(&self, name: &str) -> Result<Option<OwnLogin>, GrantError> {
        if self.target.engine.has_logins() {
            self.own_login(name).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// How many connections this program's pool of a component has.
    pub fn pool_size(&self, of: &Component) -> u32 {
        share(of, self.programs)
    }

    /// The policy in force, at most half a second old.
    pub fn policy(&self) -> Arc<Policy> {
        self.read().policy.clone()
    }

    async fn pool(
        &self,
        policy: &Policy,
        name: &str,
        component: &Component,
    ) -> Result<(Box<dyn Rolling>, String), GrantError> {
        let (size, limits) = (self.pool_size(component), &component.limits);
        let by_login;
        let (address, login) = if self.target.engine.has_logins() {
            let (login, address) = self.login(name, "").await?.ok_or_else(|| missing(name))?;
            by_login = address;
            (&by_login, login)
        } else {
            (&self.address, String::new())
        };
        let expected = Expected::new(&self.target, policy, name, component, &login);
        let settings = PoolSettings { address, name, component, expected, limits, size };
        Ok((open(settings)?, login))
    }

    fn read(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Current> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One at least: a component that has fewer connections than there are programs is served all the same.
fn share(of: &Component, programs: u32) -> u32 {
    (of.limits.connections() / programs).max(1)
}
