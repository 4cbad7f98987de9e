//! Reading the key ring for a connection.
//!
//! The ring is read on the pool. A transaction may hold the pool's last connection, and so may a stream of rows: to wait for
//! another one would take until the pool gives up. So a transaction reads on its own connection then, and only a key that
//! must be committed apart from it needs a second one.

use super::{Keyed, RecordError};
use crate::db::is_sealed_under_gone_key;
use crate::key::RingError;

/// Runs work that seals and writes. Runs it again, under keys that are read again, if the database does not have the key
/// that it sealed under. A transaction is the caller's to begin again. A macro, because a closure's future could not be
/// `Send` here.
macro_rules! under_stored_keys {
    ($db:expr, $work:expr) => {
        match $crate::record::keys::judge($db, $work.await) {
            Err($crate::record::RecordError::Ring($crate::key::RingError::KeyGone))
                if $db.begun().is_none() =>
            {
                $crate::record::keys::judge($db, $work.await)
            }
            done => done,
        }
    };
}
pub(super) use under_stored_keys;

/// Forgets the keys of the ring if the database refused one of them.
pub(super) fn judge<T>(db: &impl Keyed, written: Result<T, RecordError>) -> Result<T, RecordError> {
    match written {
        Err(RecordError::Database(error)) if is_sealed_under_gone_key(&error) => {
            db.keys().forget_keys();
            Err(RingError::KeyGone.into())
        }
        written => written,
    }
}

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
