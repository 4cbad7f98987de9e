//! Waiting that is never silent.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

/// How long a wait may be silent.
pub(super) const SILENCE: Duration = Duration::from_millis(1500);

/// Awaits a future; says what it waits for when that takes longer than a moment.
pub(crate) async fn aloud<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Ok(done) = timeout(SILENCE, &mut work).await {
        return done;
    }
    tracing::warn!("waiting: {what}");
    work.await
}
