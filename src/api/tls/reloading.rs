//! The set of files in force, and how another takes its place while connections go on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use super::files::Files;
use super::{Material, TlsError, TlsSettings};

/// The files, and what was last made of them. New connections use what [`current`](Self::current) gives; open
/// ones keep the keys that they have.
pub struct Reloading {
    settings: TlsSettings,
    current: RwLock<Arc<Material>>,
    /// Two reloads at once could leave the older files in force.
    one_at_a_time: Mutex<()>,
}

impl Reloading {
    /// Reads the files for the first time.
    pub fn load(settings: TlsSettings) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(Material::load(&settings)?));
        Ok(Self { settings, current, one_at_a_time: Mutex::new(()) })
    }

    /// What is in force.
    pub fn current(&self) -> Arc<Material> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again; true if they held something new, which is now in force. Where they cannot be used,
    /// what was in force stays so, whole. Blocks, for as long as files take to read.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let _one: MutexGuard<'_, ()> =
            self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, before) = (Files::read(&self.settings)?, self.current());
        if files.digest() == before.digest {
            return Ok(false);
        }
        let next = Arc::new(Material::new(&self.settings, &files, before.generation + 1)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(true)
    }

    /// Looks at the files at every interval, and at once when told, for ever. Certificate managers replace files one
    /// after the other: until the last of them is there the set is broken, which is said once and tried again.
    pub async fn watch(self: Arc<Self>, interval: Duration, reload_signal: Arc<Notify>) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut said = None;
        loop {
            // Whoever asks is answered, even with what was said before.
            let asked = tokio::select! {
                _ = ticks.tick() => false,
                () = reload_signal.notified() => true,
            };
            let before = self.current().generation;
            said = self.look(said.filter(|_| !asked)).await;
            if asked && said.is_none() && self.current().generation == before {
                tracing::info!("the files of TLS are those that are in force");
            }
        }
    }

    /// Reloads, and says what came of it unless that is what was said last. Gives what is wrong, if anything is.
    pub(super) async fn look(self: &Arc<Self>, said: Option<String>) -> Option<String> {
        let this = self.clone();
        let Ok(outcome) = tokio::task::spawn_blocking(move || this.reload()).await else {
            return said;
        };
        let outcome = outcome.map_err(|error| error.to_string());
        match news(&outcome, said.as_deref()) {
            ReloadOutcome::Reloaded => self.say_reloaded(),
            ReloadOutcome::Restored => {
                tracing::info!("the files of TLS are again those that are in force");
            }
            ReloadOutcome::Broken(error) => {
                tracing::warn!(%error, "TLS goes on with the files that it has");
            }
            ReloadOutcome::Nothing => {}
        }
        outcome.err()
    }

    fn say_reloaded(&self) {
        let current = self.current();
        let (generation, not_after, crl_not_after) =
            (current.generation, current.not_after, current.crl_not_after);
        tracing::info!(generation, not_after, crl_not_after, "TLS reloaded");
    }
}

/// What there is to say of a reload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReloadOutcome<'a> {
    Reloaded,
    Restored,
    Broken(&'a str),
    Nothing,
}

/// `said` is what was wrong the last time.
pub(super) fn news<'a>(outcome: &'a Result<bool, String>, said: Option<&str>) -> ReloadOutcome<'a> {
    match outcome {
        Ok(true) => ReloadOutcome::Reloaded,
        Ok(false) if said.is_some() => ReloadOutcome::Restored,
        Err(error) if said != Some(error) => ReloadOutcome::Broken(error),
        _ => ReloadOutcome::Nothing,
    }
}
