//! One task that writes rows for every request of a program: rows that wait together are written together.

use sea_orm::DatabaseConnection;
use tokio::sync::{mpsc, oneshot};

use super::{AuditError, Entry, append};
use crate::key::AuditKey;

/// How many requests may wait to be written.
const QUEUE: usize = 4096;
/// How many rows one transaction takes.
const BATCH: usize = 256;

/// Hands rows to the task.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    entries: Vec<Entry>,
    written: oneshot::Sender<Result<(), AuditError>>,
}

impl Writer {
    /// Starts the task; it ends when the last writer is dropped.
    pub fn start(db: DatabaseConnection, key: AuditKey, replica: String) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write(db, key, replica, waiting));
        Self { queue }
    }

    /// Returns when the rows are committed. What they speak of may be handed out then, and not before.
    pub async fn write(&self, entries: Vec<Entry>) -> Result<(), AuditError> {
        if entries.is_empty() {
            return Ok(());
        }
        let (written, told) = oneshot::channel();
        self.queue.try_send(Waiting { entries, written }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AuditError::Busy,
            mpsc::error::TrySendError::Closed(_) => AuditError::Stopped,
        })?;
        told.await.unwrap_or(Err(AuditError::Stopped))
    }
}

async fn write(
    db: DatabaseConnection,
    key: AuditKey,
    replica: String,
    mut waiting: mpsc::Receiver<Waiting>,
) {
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        let mut rows = batch.iter().map(|waiting| waiting.entries.len()).sum::<usize>();
        while rows < BATCH {
            let Ok(next) = waiting.try_recv() else { break };
            rows += next.entries.len();
            batch.push(next);
        }
        let entries: Vec<_> =
            batch.iter_mut().flat_map(|waiting| std::mem::take(&mut waiting.entries)).collect();
        let done = append(&db, &key, &replica, &entries).await.map(drop);
        if let Err(error) = &done {
            tracing::error!(%error, rows, "audit rows were not written");
        }
        for one in batch {
            // A request that was given up has nobody listening.
            let _ = one.written.send(done.clone());
        }
    }
}
