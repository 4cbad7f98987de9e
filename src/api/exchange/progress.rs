//! Follows the phases of a connection, and the time limit of each.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// The event that a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// The rest of a request's head.
    Head,
    /// The answer to a request.
    Answer,
    /// Another request.
    Idle,
}

/// The phase of a connection, shared with its requests.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    phase: AtomicU8,
    /// The reader, which must notice another phase: it has another limit.
    reader: Mutex<Option<Waker>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared { phase: AtomicU8::new(Phase::Head as u8), reader: Mutex::new(None) }))
    }

    /// Marks a request's head as complete. The connection waits for the answer until the guard is dropped.
    pub(crate) fn answer(&self) -> Answering {
        self.set(Phase::Answer);
        Answering(self.clone())
    }

    pub(super) fn set(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::Release);
        let reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    pub(super) fn wake_on_change(&self, cx: &Context<'_>) {
        *self.0.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
    }

    pub(super) fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Acquire) {
            0 => Phase::Head,
            1 => Phase::Answer,
            _ => Phase::Idle,
        }
    }
}

/// Held while a request is answered.
#[derive(Debug)]
pub(crate) struct Answering(Progress);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set(Phase::Idle);
    }
}

/// Time limits of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) head: Duration,
    pub(crate) idle: Duration,
}

/// Runs out when the present phase has taken too long.
pub(super) struct Timer {
    patience: Patience,
    sleep: Pin<Box<Sleep>>,
    /// The phase that the sleep is for.
    phase: Phase,
}

impl Timer {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, sleep: Box::pin(sleep(patience.head)), phase: Phase::Head }
    }

    /// Starts again if the phase is another one.
    pub(super) fn follow(&mut self, phase: Phase) {
        if phase == self.phase {
            return;
        }
        self.phase = phase;
        let patience = if phase == Phase::Idle { self.patience.idle } else { self.patience.head };
        self.sleep.as_mut().reset(Instant::now() + patience);
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }
}
