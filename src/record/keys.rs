//! Reading the key ring for a connection.
//!
//! The ring is read on the pool. A transaction may hold the pool's last connection, and so may a stream of rows: to wait for
//! another one would take until the pool gives up. So a transaction reads on its own connection then, and only a key that
//! must be committed apart from it needs a second one.

use super::{Keyed, RecordError};

/// Reads the manifest again where it is too old to seal by.
pub(super) async fn refresh(room: &impl Keyed) -> Result<(), RecordError> {
    match room.begun() {
        Some(begun) => room.share().refresh_beside(room, begun).await?,
        None => room.share().refresh().await?,
    }
    Ok(())
}

/// Reads what opening these cells takes: the manifest, and keys that came since the ring was loaded.
pub(super) async fn learn<'a>(
    room: &impl Keyed,
    cells: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), RecordError> {
    let keys = room.share();
    match room.begun() {
        Some(begun) => keys.refresh_beside(room, begun).await?,
        None => keys.refresh_patiently().await?,
    }
    match room.begun() {
        Some(_) => keys.learn_beside(room, cells).await?,
        None => keys.learn(cells).await?,
    }
    Ok(())
}

/// Makes the data keys of these scopes where there are none.
pub(super) async fn prepare(
    room: &impl Keyed,
    scopes: impl Iterator<Item = String>,
) -> Result<(), RecordError> {
    match room.begun() {
        Some(_) => room.share().prepare_beside(room, &scopes.collect()).await?,
        None => room.share().prepare(scopes).await?,
    }
    Ok(())
}
