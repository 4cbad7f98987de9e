//! Every component of a database by its own pool, for a program that serves several of them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use sea_orm::DatabaseConnection;
use secrecy::SecretString;
use strongroom_migration::Engine;

use super::capacity::Capacity;
use super::component::Component;
use super::rights::Expected;
use super::rolling::{self, Rolling};
use super::{login_address, refused};
use crate::db::{Access, Address, connect};
use crate::key::{PolicyKeys, Ring, RingError, Roots};
use crate::policy::login::{LoginState, Logins};
use crate::policy::names::{Names, Slot};
use crate::policy::wanted::Target;
use crate::policy::{GrantError, Policy, model, stored, target};

/// How soon a program follows a login that was rotated, or a policy that was applied.
const WATCH: Duration = Duration::from_millis(500);

/// The components of one database. The keeper is the login that reads the ring, the policy and the logins: component
/// `strongroom`'s own, or a migrator's in a tool; never one of another component.
pub struct Components {
    address: Address,
    keeper: DatabaseConnection,
    /// The keeper's pool, where it is a component's: it follows that login's rotation too.
    own: Option<Own>,
    /// How many programs share the connections that the server gives each login.
    programs: u32,
    roots: Arc<Roots>,
    minimum_epoch: i64,
    ring: Arc<Ring>,
    target: Target,
    current: RwLock<Current>,
    opening: tokio::sync::Mutex<()>,
}

struct Current {
    policy: Arc<Policy>,
    number: Option<i64>,
    open: HashMap<String, Arc<Component>>,
}

struct Own {
    name: String,
    pool: Box<dyn Rolling>,
    login: RwLock<String>,
}

impl Components {
    /// Opens the keeper's pool, reads the policy in force, and refuses a policy whose pools the server cannot hold. The
    /// keeper's login is whatever the address says, and is not followed when it is rotated.
    pub async fn open(
        address: Address,
        roots: Arc<Roots>,
        minimum_epoch: i64,
        names: Option<Names>,
    ) -> Result<Arc<Self>, GrantError> {
        Self::open_by(None, 1, address, roots, minimum_epoch, names).await
    }

    /// The same, with the login of a component as the keeper, which is held to that component's rights: an address with any
    /// other login is refused, and a login that may do more. `programs` like this one share the connections that the
    /// policy gives each component: a server counts those of one login together.
    pub async fn open_as(
        component: &str,
        programs: u32,
        address: Address,
        roots: Arc<Roots>,
        minimum_epoch: i64,
        names: Option<Names>,
    ) -> Result<Arc<Self>, GrantError> {
        Self::open_by(Some(component), programs.max(1), address, roots, minimum_epoch, names).await
    }

    async fn open_by(
        component: Option<&str>,
        programs: u32,
        address: Address,
        roots: Arc<Roots>,
        minimum_epoch: i64,
        names: Option<Names>,
    ) -> Result<Arc<Self>, GrantError> {
        let keeper = connect(&address, Access::Write).await?;
        let keys = PolicyKeys::load(&keeper, roots.clone(), minimum_epoch).await?;
        let ring = Arc::new(Ring::load(&keeper, roots.clone(), minimum_epoch).await?);
        let target = target(&keeper, names.unwrap_or_else(|| Names::of_ring(keys.ring()))).await?;
        let number = stored::newest(&keeper).await?;
        let policy = Arc::new(stored::in_force(&keeper, &keys).await?.ok_or(GrantError::NoPolicy)?);
        Capacity::read(&keeper, target.engine, &policy).await?.require()?;
        let own = match component {
            Some(name) => Some(Own::open(name, programs, &address, &target, &policy).await?),
            None => None,
        };
        let keeper = match &own {
            Some(own) => {
                keeper.close().await?;
                own.pool.database()
            }
            None => keeper,
        };
        let current = RwLock::new(Current { policy, number, open: HashMap::new() });
        let components = Arc::new(Self {
            address,
            keeper,
            own,
            programs,
            roots,
            minimum_epoch,
            ring,
            target,
            current,
            opening: tokio::sync::Mutex::new(()),
        });
        tokio::spawn(watch(Arc::downgrade(&components)));
        Ok(components)
    }

    /// A component's handle; the same for everybody who asks. Its login is tried first: one that is missing, another's, or
    /// may do more than the policy says is refused, with the reason.
    pub async fn component(&self, name: &str) -> Result<Arc<Component>, GrantError> {
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
            let of = policy.components.get(name).ok_or_else(|| GrantError::UnknownComponent(name.to_owned()))?;
            let (pool, login) = self.pool(&policy, name, of).await?;
            pool.probe().await.map_err(|error| refused(name, error))?;
            let component = Arc::new(Component::new(name, of, pool, login, &self.ring, &self.keeper));
            let mut current = self.write();
            // A policy that was applied meanwhile knows nothing of this pool.
            if Arc::ptr_eq(&current.policy, &policy) {
                return Ok(current.open.entry(name.to_owned()).or_insert(component).clone());
            }
        }
    }

    /// Reads the ring's manifest again, and refuses one that this program cannot use.
    pub async fn look_at_ring(&self) -> Result<(), RingError> {
        self.ring.refresh_now(&self.keeper).await
    }

    /// The keeper: what is read and written on behalf of no component.
    pub fn keeper(&self) -> &DatabaseConnection {
        &self.keeper
    }

    /// The login that a component's own programs use; none on SQLite.
    pub async fn login_of(&self, name: &str) -> Result<Option<OwnLogin>, GrantError> {
        if self.target.engine == Engine::Sqlite {
            return Ok(None);
        }
        let logins = Logins::read(&self.keeper).await?;
        let (slot, row) = logins.find(name, LoginState::Active).ok_or_else(|| missing(name))?;
        let keys = PolicyKeys::load(&self.keeper, self.roots.clone(), self.minimum_epoch).await?;
        let database = match self.target.engine {
            Engine::MariaDb => self.target.names.view_schema(name),
            _ => self.target.database.clone(),
        };
        Ok(Some(OwnLogin { user: self.target.names.login(name, slot), password: keys.password(row)?.text(), database }))
    }

    /// How many connections this program's pool of a component has.
    pub fn pool_size(&self, of: &model::Component) -> u32 {
        share(of, self.programs)
    }

    /// The policy in force, at most half a second old.
    pub fn policy(&self) -> Arc<Policy> {
        self.read().policy.clone()
    }

    async fn pool(&self, policy: &Policy, name: &str, of: &model::Component) -> Result<(Box<dyn Rolling>, String), GrantError> {
        if self.target.engine == Engine::Sqlite {
            let expected = Expected::new(&self.target, policy, name, of, "");
            let pool = rolling::open(&self.address, name, of, expected, &of.limits, self.pool_size(of))?;
            return Ok((pool, String::new()));
        }
        let (login, address) = self.login(name, "").await?.ok_or_else(|| missing(name))?;
        let expected = Expected::new(&self.target, policy, name, of, &login);
        Ok((rolling::open(&address, name, of, expected, &of.limits, self.pool_size(of))?, login))
    }

    /// The login in use and the way to the database by it, unless it is `known`.
    async fn login(&self, name: &str, known: &str) -> Result<Option<(String, Address)>, GrantError> {
        let logins = Logins::read(&self.keeper).await?;
        let (slot, row) = logins.find(name, LoginState::Active).ok_or_else(|| missing(name))?;
        let login = self.target.names.login(name, slot);
        if login == known {
            return Ok(None);
        }
        // Read anew: the ring may be under another root by now.
        let keys = PolicyKeys::load(&self.keeper, self.roots.clone(), self.minimum_epoch).await?;
        let address = login_address(&self.address, &self.target, name, &login, &keys.password(row)?.text())?;
        Ok(Some((login, address)))
    }

    /// Gives a component the login that is in use now, if that is another.
    async fn follow_login(&self, component: &Component) -> Result<(), GrantError> {
        let (name, policy) = (component.name(), self.policy());
        let Some(of) = policy.components.get(name).filter(|_| self.target.engine != Engine::Sqlite) else { return Ok(()) };
        let Some((login, address)) = self.login(name, &component.login()).await? else { return Ok(()) };
        let expected = Expected::new(&self.target, &policy, name, of, &login);
        tracing::info!(component = name, login, "using another login");
        Ok(component.switch(&address, login, expected).await?)
    }

    async fn follow_own_login(&self) -> Result<(), GrantError> {
        let Some(own) = self.own.as_ref().filter(|_| self.target.engine != Engine::Sqlite) else { return Ok(()) };
        let known = own.login.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((login, address)) = self.login(&own.name, &known).await? else { return Ok(()) };
        let policy = self.policy();
        let of = policy.components.get(&own.name).ok_or_else(|| GrantError::UnknownComponent(own.name.clone()))?;
        let expected = Expected::new(&self.target, &policy, &own.name, of, &login);
        tracing::info!(component = own.name, login, "using another login, which the configured address should name from now on");
        own.pool.switch(&address, &own.name, expected).await?;
        *own.login.write().unwrap_or_else(PoisonError::into_inner) = login;
        Ok(())
    }

    /// Holds every pool to the policy that is in force now, if that is another. On SQLite a connection keeps the rights that
    /// it was opened with: handles that are asked for from now on have pools of their own.
    async fn follow_policy(&self) -> Result<(), GrantError> {
        let number = stored::newest(&self.keeper).await?;
        if number == self.read().number {
            return Ok(());
        }
        let keys = PolicyKeys::load(&self.keeper, self.roots.clone(), self.minimum_epoch).await?;
        let policy = Arc::new(stored::in_force(&self.keeper, &keys).await?.ok_or(GrantError::NoPolicy)?);
        let mut current = self.write();
        // Other limits make another pool.
        current.open.retain(|name, open| {
            let of = policy.components.get(name);
            self.target.engine != Engine::Sqlite && of.is_some_and(|of| of.limits == *open.limits())
        });
        for (name, component) in &current.open {
            if let Some(of) = policy.components.get(name) {
                let expected = Expected::new(&self.target, &policy, name, of, &component.login());
                component.hold_to(expected, of, &self.ring, &self.keeper);
            }
        }
        if let Some((own, of)) = self.own.as_ref().and_then(|own| Some((own, policy.components.get(&own.name)?))) {
            let login = own.login.read().unwrap_or_else(PoisonError::into_inner).clone();
            own.pool.expect(Expected::new(&self.target, &policy, &own.name, of, &login));
        }
        (current.policy, current.number) = (policy, number);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Current> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A component's database login, for handing to its programs.
pub struct OwnLogin {
    /// The account.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// Where its tables are.
    pub database: String,
}

impl Own {
    async fn open(name: &str, programs: u32, address: &Address, target: &Target, policy: &Policy) -> Result<Self, GrantError> {
        let of = policy.components.get(name).ok_or_else(|| GrantError::UnknownComponent(name.to_owned()))?;
        let login = address.user().unwrap_or_default();
        let expected = Expected::new(target, policy, name, of, &login);
        let is_own = || Slot::ALL.iter().any(|slot| target.names.login(name, *slot) == login);
        if target.engine != Engine::Sqlite && !is_own() {
            let reason = format!("the database's address names `{login}`, which is not one of its own logins");
            return Err(GrantError::Login { component: name.to_owned(), reason });
        }
        let pool = rolling::open(address, name, of, expected, &of.limits, share(of, programs))?;
        pool.probe().await.map_err(|error| refused(name, error))?;
        Ok(Self { name: name.to_owned(), pool, login: RwLock::new(login) })
    }
}

/// One at least: a component that has fewer connections than there are programs is served all the same.
fn share(of: &model::Component, programs: u32) -> u32 {
    (of.limits.connections() / programs).max(1)
}

fn missing(name: &str) -> GrantError {
    GrantError::Login { component: name.to_owned(), reason: "it has no login in use".to_owned() }
}

/// Follows policies and rotations for as long as somebody holds the components.
async fn watch(components: Weak<Components>) {
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
