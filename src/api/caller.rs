//! A caller that a policy knows, with leave to run one request on its own pool.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sea_orm::DatabaseConnection;
use strongroom::entity::credential;
use strongroom::migration::Phase;

use super::gate::Leave;
use super::peer::Peer;
use super::problem::Problem;
use super::refusal::Refusal;
use super::request_id::{Named, RequestId};
use super::service::Service;
use super::words::Words;
use strongroom::audit::{Action, Barrier, Entry};
use strongroom::component::ComponentHandle;
use strongroom::credential::Store;
use strongroom::key::{RingError, ScopedKeys};

/// Who asks, and by which pool it is answered. Handlers get rows through this and nothing else.
///
/// A handler that takes it refuses unknown callers, and has a place of its component's pool until the value is dropped.
pub struct Caller {
    component: Arc<ComponentHandle>,
    identity: String,
    request: RequestId,
    service: Arc<Service>,
    words: Arc<Words>,
    _leave: Leave,
}

impl Caller {
    /// Returns the component, with its pool and its share of the keys.
    pub fn component(&self) -> &ComponentHandle {
        &self.component
    }

    /// Returns the component's pool: the server holds whatever runs on it to the component's rights.
    pub fn database(&self) -> &DatabaseConnection {
        self.component.database()
    }

    /// Returns the component's keys: of the columns that it may open, seal and find by, and no others.
    pub fn keys(&self) -> Arc<ScopedKeys> {
        self.component.keys()
    }

    /// The credentials, by the component's login and with its keys.
    pub fn store(&self) -> Store {
        Store::of_component(self.database().clone(), self.keys())
    }

    /// Writes down that something was done, for each of these rows. The handler must not answer with them before this returns,
    /// and must undo what it did if this fails: what is not written down is not handed out.
    pub async fn done(
        &self,
        action: Action,
        objects: impl IntoIterator<Item = String>,
    ) -> Result<(), Problem> {
        let entries: Vec<_> =
            objects.into_iter().map(|object| self.entry(action, object, None)).collect();
        self.write(entries).await.map_err(|refusal| refusal.problem)
    }

    /// Writes a refusal down, with what refused it; returns the answer to the caller, which says the same. Errors without a
    /// barrier (a row that does not exist, a database that is away) are no refusals and have no row.
    pub async fn refused(
        &self,
        action: Action,
        object: &str,
        refusal: impl Into<Refusal>,
    ) -> Problem {
        let Refusal { problem, barrier } = refusal.into();
        let Some(barrier) = barrier else { return problem };
        self.service.metrics.refused(barrier);
        match self.write(vec![self.entry(action, object.to_owned(), Some(barrier))]).await {
            Ok(()) => problem,
            Err(refusal) => refusal.problem,
        }
    }

    async fn write(&self, entries: Vec<Entry>) -> Result<(), Refusal> {
        entries.iter().try_for_each(|entry| self.words.require(entry))?;
        Ok(self.service.audit.write(entries).await?)
    }

    fn entry(&self, action: Action, object: String, barrier: Option<Barrier>) -> Entry {
        Entry {
            request: self.request.to_string(),
            component: self.component.name().to_owned(),
            identity: self.identity.clone(),
            action,
            object,
            barrier,
        }
    }
}

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Problem> {
        let request = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
        let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_else(Peer::nobody);
        let identity = match peer.identity() {
            Ok(identity) => identity.clone(),
            Err(refusal) => {
                return Err(turned_away(service, &request, &peer, "", "", refusal).await);
            }
        };
        let name = identity.component.as_str();
        let policy = service.components.policy();
        let Some(of) = policy.components.get(name).filter(|_| service.knows(name)) else {
            let refusal = Refusal::forbidden(Barrier::POLICY);
            return Err(turned_away(service, &request, &peer, name, &identity.id, refusal).await);
        };
        // A name that no policy has is the caller's to choose, and none for a label.
        parts.extensions.get::<Named>().inspect(|named| named.set(name));
        let leave = service
            .gates
            .enter(name, service.components.pool_size(of))
            .await
            .inspect_err(|_| service.metrics.turned_away(name))?;
        let component = match service.components.component(name).await {
            Ok(component) => component,
            Err(error) => {
                return Err(turned_away(
                    service,
                    &request,
                    &peer,
                    name,
                    &identity.id,
                    error.into(),
                )
                .await);
            }
        };
        refuse_older(&component).await?;
        Ok(Self {
            component,
            identity: identity.id,
            request,
            service: service.clone(),
            words: parts.extensions.get::<Arc<Words>>().cloned().unwrap_or_default(),
            _leave: leave,
        })
    }
}

/// Refuses every request while the database is behind what this host has seen, those that open nothing too: what they
/// write would be lost with the older copy.
async fn refuse_older(component: &ComponentHandle) -> Result<(), Problem> {
    let share = component.keys();
    let judged = match share.refresh().await {
        Err(error) if error.went_back() => Err(error),
        // The service runs only where the credentials are sealed.
        Ok(()) if share.phase(credential::TABLE.name) == Some(Phase::Plain) => {
            Err(RingError::PhaseContradicts {
                table: credential::TABLE.name.to_owned(),
                found: "its sealing is complete",
            })
        }
        // Whatever needs the keys says what is wrong with them.
        _ => Ok(()),
    };
    judged.map_err(|error| Refusal::from(error).problem)
}

/// No component is called so.
const TURNED_AWAY: &str = "-";

/// Strangers without a certificate are counted and not written down: they could fill the table.
async fn turned_away(
    service: &Service,
    request: &RequestId,
    peer: &Peer,
    component: &str,
    identity: &str,
    refusal: Refusal,
) -> Problem {
    let Some(barrier) = refusal.barrier else { return refusal.problem };
    service.metrics.refused(barrier);
    if !peer.is_certified() {
        return refusal.problem;
    }
    // Nor can who comes with a certificate keep the others' rows from being written.
    let Ok(_leave) = service.gates.enter(TURNED_AWAY, 2).await else { return refusal.problem };
    let (component, identity) = (component.to_owned(), identity.to_owned());
    let entry = Entry {
        request: request.to_string(),
        component,
        identity,
        action: Action::ENTER,
        object: String::new(),
        barrier: Some(barrier),
    };
    match service.audit.write(vec![entry]).await {
        Ok(()) => refusal.problem,
        Err(error) => Refusal::from(error).problem,
    }
}
