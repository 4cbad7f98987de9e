//! The key ring of a database whose sealed tables are all a program's own.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait as _};
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use strongroom_migration::{Backfill as _, Engine, RING};

use super::adoption::adoption_digest;
use super::{KeyedSteps, SchemaError, install};
use crate::db::{self, Lock};
use crate::key::{EpochFloor, Manifest, Ring, RingError, Roots};
use crate::reseal::{Options, ResealError};

/// Makes the ring's tables, and the ring under this root, where they are missing. Takes the run lock meanwhile, and fails while
/// another run holds it; takes none where the ring is there, so every start may call it. Strongroom's own step 2 does the
/// same, and finds what is there.
///
/// Which root a ring is under is not looked at here: [`Strongroom::load`](crate::record::Strongroom::load) does that.
pub async fn install_ring(db: &DatabaseConnection, roots: Arc<Roots>) -> Result<(), SchemaError> {
    if db::has_table(db, "strongroom_manifest").await?
        && db::has_table(db, "strongroom_quarantine").await?
        && has_ring(db).await?
    {
        return Ok(());
    }
    install(db).await?;
    let lock = Arc::new(Lock::take(db).await?);
    let done = make(db, roots, &lock).await;
    if let Some(lock) = Arc::into_inner(lock) {
        lock.release().await?;
    }
    done
}

async fn has_ring(db: &DatabaseConnection) -> Result<bool, SchemaError> {
    Ok(strongroom_entity::manifest::Entity::find().one(db).await?.is_some())
}

async fn make(
    db: &DatabaseConnection,
    roots: Arc<Roots>,
    lock: &Arc<Lock>,
) -> Result<(), SchemaError> {
    let steps = KeyedSteps::new(Some(roots), 0, lock.clone(), Options::default());
    if !Engine::of(db).await?.has_transactional_ddl() {
        RING.run(&SchemaManager::new(db), &steps).await?;
        return Ok(steps.make_ring(&SchemaManagerConnection::Connection(db)).await?);
    }
    let transaction = db::begin(db).await?;
    if !db::has_table(&transaction, "strongroom_manifest").await? {
        RING.run(&SchemaManager::new(&transaction), &steps).await?;
    }
    steps.make_ring(&SchemaManagerConnection::Transaction(&transaction)).await?;
    lock.fence(&transaction).await?;
    Ok(transaction.commit().await?)
}

/// Makes the whole ring or nothing: keys without their manifest would shut out those of the next attempt.
pub(super) async fn make_ring(
    db: &SchemaManagerConnection<'_>,
    roots: &Arc<Roots>,
    floor: &EpochFloor,
    lock: &Lock,
) -> Result<(), SchemaError> {
    let SchemaManagerConnection::Connection(db) = db else {
        return make_within(db, roots, floor).await;
    };
    let transaction = db::begin(db).await?;
    make_within(&transaction, roots, floor).await?;
    lock.fence(&transaction).await?;
    Ok(transaction.commit().await?)
}

/// The ring of a program may be there before a table is adopted.
async fn make_within(
    db: &impl ConnectionTrait,
    roots: &Arc<Roots>,
    floor: &EpochFloor,
) -> Result<(), SchemaError> {
    Ring::make(db, roots.current()).await.map_err(refused)?;
    let Some(digest) = adoption_digest(db).await? else { return Ok(()) };
    let ring = Ring::load_without_keys(db, roots.clone(), floor.clone()).await.map_err(refused)?;
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
