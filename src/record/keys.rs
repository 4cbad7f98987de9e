//! Reading the key ring for a connection.
//!
//! The ring is read on the pool. A transaction may hold the pool's last connection, and so may a stream of rows: to wait for
//! another one would take until the pool gives up. So a transaction reads on its own connection then, and only a key that
//! must be committed apart from it needs a second one.

use super::{Keyed, RecordError};

/// Reads the manifest again where it is too old to seal by.
pub(super) async fn refresh(db: &impl Keyed) -> Result<(), RecordError> {
    match db.begun() {
        Some(begun) => db.keys().refresh_beside(db, begun).await?,
        None => db.keys().refresh().await?,
    }
    Ok(())
}

/// Reads what opening these cells takes: the manifest, and keys that came since the ring was loaded.
pub(super) async fn learn<'a>(
    db: &impl Keyed,
    cells: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(), RecordError> {
    let keys = db.keys();
    match db.begun() {
        Some(begun) => keys.refresh_beside(db, begun).await?,
        None => keys.refresh_patiently().await?,
    }
    match db.begun() {
        Some(_) => keys.learn_beside(db, cells).await?,
        None => keys.learn(cells).await?,
    }
    Ok(())
}

/// Makes the data keys of these scopes where there are none.
pub(super) async fn prepare(
    db: &impl Keyed,
    scopes: impl Iterator<Item = String>,
) -> Result<(), RecordError> {
    match db.begun() {
        Some(_) => db.keys().prepare_beside(db, &scopes.collect()).await?,
        None => db.keys().prepare(scopes).await?,
    }
    Ok(())
}
