//! Wrapping the ring under another root, in the one history and under the run lock.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use super::error::ResealError;
use crate::crypto::RootKey;
use crate::db::history::{self, Entry};
use crate::db::{self, Lock, has_table};
use crate::key::{self, LIFETIME, Rewrapped, RingAccess};

/// Wraps every key of the ring under `to`, which `access` must have beside the root before. Run again, it does
/// what is left: keys that a program added at the very moment.
pub async fn rewrap(
    db: &DatabaseConnection,
    access: &RingAccess,
    lock: &Lock,
    from: &RootKey,
    to: &RootKey,
) -> Result<Rewrapped, ResealError> {
    let done = db::retry!(rewrap_once(db, access, lock, to))?;
    // Until then a program may add keys under the root before.
    tokio::time::sleep(2 * LIFETIME).await;
    let late = db::retry!(rewrap_late(db, access, lock, from))?;
    access.floor().remember(db, access.roots()).await?;
    Ok(Rewrapped { keys: done.keys + late.keys, damaged: late.damaged })
}

async fn rewrap_once(
    db: &DatabaseConnection,
    access: &RingAccess,
    lock: &Lock,
    to: &RootKey,
) -> Result<Rewrapped, ResealError> {
    let transaction = db::begin(db).await?;
    let done = key::rewrap(&transaction, access, to, has_logins(&transaction).await?).await?;
    if done.keys == 0 {
        return Ok(done);
    }
    let entry = Entry {
        number: None,
        name: format!("rewrap under root {}", hex::encode(to.id())),
        kind: "rewrap",
        direction: "up",
        checksum: None,
    };
    let row = history::begin(&transaction, lock, &entry).await?;
    history::finish(&transaction, lock, row).await?;
    lock.fence(&transaction).await?;
    transaction.commit().await?;
    Ok(done)
}

async fn has_logins(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    has_table(db, "strongroom_database_login").await
}

async fn rewrap_late(
    db: &DatabaseConnection,
    access: &RingAccess,
    lock: &Lock,
    from: &RootKey,
) -> Result<Rewrapped, ResealError> {
    let transaction = db::begin(db).await?;
    let done =
        key::rewrap_stragglers(&transaction, access, from, has_logins(&transaction).await?).await?;
    lock.fence(&transaction).await?;
    transaction.commit().await?;
    Ok(done)
}
