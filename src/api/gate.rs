//! A bound on what one component can have going on, so that its flood leaves the others their share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;

/// How many requests of a component may run, and wait.
#[derive(Debug, Clone, Copy)]
pub struct GateSettings {
    /// How many may wait, for each connection of the component's pool.
    pub queue_per_connection: usize,
    /// For how long one may wait.
    pub patience: Duration,
}

/// One gate a component.
pub(super) struct Gates {
    settings: GateSettings,
    /// By component and the size of its pool, which a policy may change.
    gates: Mutex<HashMap<(String, u32), Arc<Gate>>>,
}

struct Gate {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
}

/// Leave to run; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Leave(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Gates {
    pub(super) fn new(settings: GateSettings) -> Self {
        Self { settings, gates: Mutex::default() }
    }

    /// Leave to run one request: as many at a time as the component's pool has connections. `429` when as many as allowed
    /// wait already, `503` when a connection did not become free in time.
    pub(super) async fn enter(&self, component: &str, connections: u32) -> Result<Leave, Problem> {
        let gate = self.gate(component, connections);
        if let Ok(permit) = gate.running.clone().try_acquire_owned() {
            return Ok(Leave(permit));
        }
        let _place = Place::take(&gate).ok_or_else(full)?;
        match tokio::time::timeout(self.settings.patience, gate.running.clone().acquire_owned())
            .await
        {
            Ok(Ok(permit)) => Ok(Leave(permit)),
            _ => Err(waited(self.settings.patience)),
        }
    }

    /// How many requests wait, by component.
    pub(super) fn waiting(&self) -> Vec<(String, usize)> {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = BTreeMap::<String, usize>::new();
        for ((component, _), gate) in gates.iter() {
            *waiting.entry(component.clone()).or_default() += gate.waiting.load(Ordering::Acquire);
        }
        waiting.into_iter().collect()
    }

    fn gate(&self, component: &str, connections: u32) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (component.to_owned(), connections);
        if let Some(gate) = gates.get(&key) {
            return gate.clone();
        }
        let connections = usize::try_from(connections.max(1)).unwrap_or(1);
        let gate = Arc::new(Gate {
            running: Arc::new(Semaphore::new(connections)),
            waiting: AtomicUsize::new(0),
            queue: connections.saturating_mul(self.settings.queue_per_connection),
        });
        gates.insert(key, gate.clone());
        gate
    }
}

/// A place in the queue, given back when it is dropped.
struct Place<'a>(&'a Gate);

impl<'a> Place<'a> {
    fn take(gate: &'a Gate) -> Option<Self> {
        let more = |waiting: usize| (waiting < gate.queue).then_some(waiting + 1);
        gate.waiting
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .ok()
            .map(|_| Self(gate))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

fn full() -> Problem {
    let detail = "too many requests of this component wait already";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "queue_full", detail).retry_after(1)
}

fn waited(patience: Duration) -> Problem {
    let detail = format!(
        "no connection of this component's pool became free within {} s",
        patience.as_secs_f32()
    );
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "pool_busy", detail).retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(problem: &Problem) -> String {
        serde_json::to_value(problem).unwrap()["code"].as_str().unwrap().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn one_component_does_not_take_anothers_place() {
        let gates = Arc::new(Gates::new(GateSettings {
            queue_per_connection: 2,
            patience: Duration::from_secs(1),
        }));
        let running = gates.enter("a", 1).await.unwrap();
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let gates = gates.clone();
                tokio::spawn(async move {
                    gates.enter("a", 1).await.map(drop).map_err(|problem| code(&problem))
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(gates.waiting(), [("a".to_owned(), 2)]);
        assert_eq!(code(&gates.enter("a", 1).await.unwrap_err()), "queue_full");
        gates.enter("b", 1).await.unwrap();
        drop(running);
        for one in waiting {
            one.await.unwrap().unwrap();
        }
        assert_eq!(gates.waiting().iter().map(|(_, waiting)| waiting).sum::<usize>(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_told_so_and_leaves_the_queue() {
        let gates =
            Gates::new(GateSettings { queue_per_connection: 1, patience: Duration::from_secs(1) });
        let _running = gates.enter("a", 1).await.unwrap();
        assert_eq!(code(&gates.enter("a", 1).await.unwrap_err()), "pool_busy");
        assert_eq!(gates.waiting(), [("a".to_owned(), 0)]);
    }
}
