//! The ring's first keys and manifest, and what the manifest says of an adopted table.

use sea_orm::ConnectionTrait;
use sea_orm_migration::SchemaManagerConnection;

use super::SchemaError;
use super::adoption::adoption_digest;
use crate::db::{self, Lock};
use crate::key::{Manifest, Ring, RingAccess, RingError};
use crate::reseal::ResealError;

/// Makes the whole ring or nothing: keys without their manifest would shut out those of the next attempt.
pub(super) async fn make_ring(
    db: &SchemaManagerConnection<'_>,
    access: &RingAccess,
    lock: &Lock,
) -> Result<(), SchemaError> {
    let SchemaManagerConnection::Connection(db) = db else {
        return make_within(db, access).await;
    };
    let transaction = db::begin(db).await?;
    make_within(&transaction, access).await?;
    lock.fence(&transaction).await?;
    Ok(transaction.commit().await?)
}

/// The ring of a program may be there before a table is adopted.
async fn make_within(db: &impl ConnectionTrait, access: &RingAccess) -> Result<(), SchemaError> {
    Ring::make(db, access.roots().current()).await.map_err(refused)?;
    let Some(digest) = adoption_digest(db).await? else { return Ok(()) };
    let ring = Ring::load_without_keys(db, access.clone()).await.map_err(refused)?;
    if ring.manifest().adoption() == Some(digest.as_str()) {
        return Ok(());
    }
    let change = |manifest: &mut Manifest| {
        manifest.set_adoption(Some(digest.clone()));
        Ok(())
    };
    ring.change_manifest(db, change).await.map(drop).map_err(refused)
}

fn refused(error: RingError) -> SchemaError {
    SchemaError::Database(ResealError::from(error).into())
}
