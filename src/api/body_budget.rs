//! Bounds the bytes of request bodies in memory, for one component and for all requests.
//!
//! Bytes count from their arrival until their request ends. An announced body that does not arrive uses no budget.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;

/// The code of the refusal.
pub(super) const FULL: &str = "bodies_full";

/// The budgets, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct BodyBudgetSettings {
    /// For the requests of one component.
    pub of_component: usize,
    /// For all requests.
    pub of_all: usize,
}

/// The remaining budget.
pub(super) struct BodyBudget {
    settings: BodyBudgetSettings,
    all: Arc<Semaphore>,
    components: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A budget, and what is answered when nothing of it is left.
type Source = (Arc<Semaphore>, fn() -> Problem);

/// The bytes of one body. Dropping them returns them to the budget.
pub(super) struct HeldBytes {
    sources: [Source; 2],
    held: Vec<OwnedSemaphorePermit>,
}

impl BodyBudget {
    pub(super) fn new(settings: BodyBudgetSettings) -> Self {
        Self { settings, all: semaphore(settings.of_all), components: Mutex::default() }
    }

    /// Starts a body of a component. Invariant: the policy has the component, which bounds the names.
    pub(super) fn begin(&self, component: &str) -> HeldBytes {
        let mut components = self.components.lock().unwrap_or_else(PoisonError::into_inner);
        let of_component = components
            .entry(component.to_owned())
            .or_insert_with(|| semaphore(self.settings.of_component))
            .clone();
        HeldBytes {
            sources: [(of_component, component_full), (self.all.clone(), all_full)],
            held: Vec::new(),
        }
    }
}

impl HeldBytes {
    /// Takes more bytes. Refuses with 429 if the component has too few left, and with 503 if the total has.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let count = u32::try_from(bytes).unwrap_or(u32::MAX);
        for (source, full) in &self.sources {
            let permit = source.clone().try_acquire_many_owned(count).map_err(|_| full())?;
            self.held.push(permit);
        }
        Ok(())
    }
}

fn semaphore(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)))
}

fn component_full() -> Problem {
    let detail = "the bodies of this component's requests take up all the memory that it may have";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, FULL, detail).retry_after(1)
}

fn all_full() -> Problem {
    let detail = "the bodies of all requests take up all the memory that they may have";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, FULL, detail).retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(grown: Result<(), Problem>) -> String {
        grown.err().map_or(String::new(), |problem| {
            let value = serde_json::to_value(problem).unwrap();
            format!("{} {}", value["status"], value["code"].as_str().unwrap())
        })
    }

    #[test]
    fn a_component_that_uses_up_its_bytes_leaves_the_others_theirs() {
        let budget = BodyBudget::new(BodyBudgetSettings { of_component: 100, of_all: 150 });
        let (mut one, mut two) = (budget.begin("a"), budget.begin("a"));
        assert_eq!(verdict(one.grow(60)), "");
        assert_eq!(verdict(one.grow(30)), "");
        assert_eq!(verdict(two.grow(11)), "429 bodies_full");
        let mut other = budget.begin("b");
        assert_eq!(verdict(other.grow(60)), "");
        assert_eq!(verdict(other.grow(1)), "503 bodies_full");
        drop(one);
        assert_eq!(verdict(two.grow(90)), "");
    }
}
