//! The key ring of a database whose sealed tables are all a program's own.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, EntityTrait as _};
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use strongroom_migration::{Backfill as _, Engine, RING};

use super::{KeyedSteps, SchemaError, install};
use crate::db::{self, Lock};
use crate::key::Roots;
use crate::reseal::Options;

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
        steps.make_ring(&SchemaManagerConnection::Connection(db)).await?;
        return Ok(steps.carry_lineage(&SchemaManager::new(db), true).await?);
    }
    let transaction = db::begin(db).await?;
    if !db::has_table(&transaction, "strongroom_manifest").await? {
        RING.run(&SchemaManager::new(&transaction), &steps).await?;
    }
    steps.make_ring(&SchemaManagerConnection::Transaction(&transaction)).await?;
    lock.fence(&transaction).await?;
    transaction.commit().await?;
    Ok(steps.carry_lineage(&SchemaManager::new(db), true).await?)
}
