//! What every request shares.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::body_budget::BodyBudget;
use super::finding::Readiness;
use super::gate::Gates;
use super::line_budget::LineBudget;
use super::metrics::Metrics;
use super::settings::Settings;
use strongroom::audit::Writer;
use strongroom::component::Components;
use strongroom::db::Address;
use strongroom::key::{AuditKey, RingAccess};
use strongroom::policy::{GrantError, Names, Policy};

/// How often a service looks at its surroundings.
const LOOK: Duration = Duration::from_secs(5);

/// The component that the service itself is.
pub const OWN_COMPONENT: &str = "strongroom";

/// The service, without its sockets.
pub struct Service {
    pub(super) settings: Settings,
    pub(super) components: Arc<Components>,
    pub(super) audit: Writer,
    pub(super) gates: Gates,
    pub(super) bodies: BodyBudget,
    /// Log lines about requests of nobody that a policy knows.
    pub(super) stranger_lines: LineBudget,
    /// Log lines about connections that are refused.
    pub(super) connection_lines: LineBudget,
    pub(super) metrics: Metrics,
    pub(super) readiness: Readiness,
    /// Held by every request that is under way.
    unfinished: Arc<RwLock<()>>,
}

/// Where the data is, and what opens it.
pub struct Database {
    /// By the login of component `strongroom`.
    pub address: Address,
    /// What opens its key ring.
    pub access: RingAccess,
    /// The accounts' names, where they are not made from the ring's id.
    pub names: Option<Names>,
}

impl Service {
    /// Opens the service's own pool. Refuses a login that is not component `strongroom`'s, and one that may do more than
    /// its policy says.
    pub async fn open(
        settings: Settings,
        database: Database,
        replica: &str,
    ) -> Result<Arc<Self>, GrantError> {
        let Database { address, access, names } = database;
        let components =
            Components::open_as(OWN_COMPONENT, settings.replicas, address, access.clone(), names)
                .await?;
        let key = AuditKey::load(components.keeper(), access).await?;
        let audit = Writer::start(components.keeper().clone(), key, replica.to_owned());
        let (gates, bodies) = (Gates::new(settings.gate), BodyBudget::new(settings.limits.bodies));
        Ok(Arc::new(Self {
            settings,
            components,
            audit,
            gates,
            bodies,
            stranger_lines: LineBudget::default(),
            connection_lines: LineBudget::default(),
            metrics: Metrics::new(),
            readiness: Readiness::default(),
            unfinished: Arc::default(),
        }))
    }

    /// Whether the policy in force has this component, and it is one that may call.
    pub(super) fn knows(&self, component: &str) -> bool {
        component != OWN_COMPONENT && self.policy().components.contains_key(component)
    }

    /// Held while a request is under way.
    pub(super) async fn under_way(&self) -> OwnedRwLockReadGuard<()> {
        self.unfinished.clone().read_owned().await
    }

    /// Waits for requests that are under way, those of callers that have hung up too.
    pub(super) async fn finished(&self) {
        drop(self.unfinished.write().await);
    }

    /// Looks at how things stand while nobody asks, so that what Prometheus reads is so.
    pub(super) async fn keep_looking(self: Arc<Self>) {
        loop {
            self.look().await;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Returns the policy in force, at most half a second old.
    pub fn policy(&self) -> Arc<Policy> {
        self.components.policy()
    }

    /// Returns the pool of the service's own login: for rows that belong to no caller.
    pub fn keeper(&self) -> &DatabaseConnection {
        self.components.keeper()
    }
}
