//! One table with the ring and the run lock: what the phase machine does to its rows and to its manifest entry.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};
use sea_orm_migration::SchemaManagerConnection;
use strongroom_entity::SealedTable;
use strongroom_migration::{Phase, RunLock};
use tokio::sync::OnceCell;

use super::direction::Direction;
use super::engine::{Engine, finish_excluded};
use super::error::ResealError;
use super::options::Options;
use super::quarantine::Bad;
use super::verify::verify;
use crate::db::{self, Lock};
use crate::key::{EpochFloor, Manifest, ManifestError, Ring, RingAccess, Roots};

/// A change of the manifest that may be tried again.
pub(crate) type Change = dyn Fn(&mut Manifest) -> Result<(), ManifestError> + Send + Sync;

/// One table, its keys and the run lock. Every call may be repeated after a crash: it does what is left.
///
/// Calls that take `db` join its transaction where one is open, so that phase and schema change together.
pub(crate) struct KeyedTable {
    pub(crate) table: &'static SealedTable,
    pub(crate) roots: Option<Arc<Roots>>,
    pub(crate) floor: EpochFloor,
    pub(crate) lock: Arc<Lock>,
    pub(crate) options: Options,
    pub(crate) ring: OnceCell<Arc<Ring>>,
}

impl KeyedTable {
    /// Returns the phase of the table.
    pub(crate) async fn phase(
        &self,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<Phase, ResealError> {
        let manifest = self.manifest(db).await?;
        manifest.phase(self.table.name).ok_or(ResealError::UnknownPhase)
    }

    /// Moves the table to a neighbouring phase.
    pub(crate) async fn set_phase(
        &self,
        db: &SchemaManagerConnection<'_>,
        phase: Phase,
    ) -> Result<(), ResealError> {
        let found = self.phase(db).await?;
        if !found.leads_to(phase) {
            return Err(ResealError::WrongPhase { found: found.as_str() });
        }
        let table = self.table.name;
        let change = move |manifest: &mut Manifest| {
            manifest.set_phase(table, phase);
            Ok(())
        };
        self.change_manifest(db, &change).await
    }

    /// Returns the manifest as the database has it now.
    pub(crate) async fn manifest(
        &self,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<Manifest, ResealError> {
        Ok(self.ring(db).await?.manifest())
    }

    /// Changes the manifest under the run lock, within the open transaction or a new one.
    pub(crate) async fn change_manifest(
        &self,
        db: &SchemaManagerConnection<'_>,
        change: &Change,
    ) -> Result<(), ResealError> {
        match db {
            SchemaManagerConnection::Connection(db) => {
                db::retry!(self.change_in_own_transaction(db, change))
            }
            _ => self.change_within(db, change).await,
        }
    }

    /// Seals every row beside its plaintext, page by page, in transactions of its own.
    pub(crate) async fn seal(&self, db: &SchemaManagerConnection<'_>) -> Result<(), ResealError> {
        match self.run(db, Direction::Seal).await? {
            0 => Ok(()),
            count => Err(ResealError::LeftBehind { count }),
        }
    }

    /// With writers excluded: seals what is missing, and what does not open to its plaintext.
    pub(crate) async fn seal_rest(
        &self,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<(), ResealError> {
        self.rest(db, Direction::Seal).await
    }

    /// With writers excluded: fails unless every cell opens to its plaintext.
    pub(crate) async fn verify(&self, db: &SchemaManagerConnection<'_>) -> Result<(), ResealError> {
        let ring = self.ring(db).await?;
        let found = verify(db, &ring, self.table, Phase::Required, &self.options).await?;
        refuse(&found.failed)
    }

    /// Opens every cell beside itself, page by page, in transactions of its own.
    pub(crate) async fn open(&self, db: &SchemaManagerConnection<'_>) -> Result<(), ResealError> {
        self.run(db, Direction::Open).await.map(drop)
    }

    /// With writers excluded: opens what is missing or differs; fails if a cell does not open.
    pub(crate) async fn open_rest(
        &self,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<(), ResealError> {
        self.rest(db, Direction::Open).await
    }

    /// Loads the ring, or reloads it: a transaction that failed may have left keys in memory that were never
    /// committed, and a cell under such a key would be lost.
    async fn ring(&self, db: &SchemaManagerConnection<'_>) -> Result<Arc<Ring>, ResealError> {
        let load = || async {
            let roots = self.roots.clone().ok_or(ResealError::NoRoot)?;
            let ring =
                Ring::load_without_keys(db, RingAccess::new(roots, self.floor.clone())).await?;
            Ok::<_, ResealError>(Arc::new(ring))
        };
        let known = self.ring.initialized();
        let ring = self.ring.get_or_try_init(load).await?.clone();
        if known {
            ring.reload(db).await?;
        }
        Ok(ring)
    }

    async fn run(
        &self,
        db: &SchemaManagerConnection<'_>,
        direction: Direction,
    ) -> Result<u64, ResealError> {
        self.require(db, direction).await?;
        let db = pool(db)?;
        let ring = self.ring(&SchemaManagerConnection::Connection(db)).await?;
        let engine =
            Engine { db, ring, lock: &self.lock, table: self.table, options: &self.options };
        Ok(engine.run(direction).await?.bad)
    }

    async fn rest(
        &self,
        db: &SchemaManagerConnection<'_>,
        direction: Direction,
    ) -> Result<(), ResealError> {
        self.require(db, direction).await?;
        let ring = self.ring(db).await?;
        let bad = finish_excluded(db, &ring, self.table, direction, &self.options.stop).await?;
        refuse(&bad)
    }

    /// Refuses work that the authenticated phase does not admit: an edited history overwrites neither cells nor plaintext.
    async fn require(
        &self,
        db: &SchemaManagerConnection<'_>,
        direction: Direction,
    ) -> Result<(), ResealError> {
        let found = self.phase(db).await?;
        let right = match direction {
            Direction::Seal => matches!(found, Phase::Dual | Phase::Filled),
            Direction::Open => found == Phase::Restoring,
            Direction::Roll => found != Phase::Plain,
        };
        if right { Ok(()) } else { Err(ResealError::WrongPhase { found: found.as_str() }) }
    }

    async fn change_in_own_transaction(
        &self,
        db: &DatabaseConnection,
        change: &Change,
    ) -> Result<(), ResealError> {
        let transaction = db::begin(db).await?;
        self.change_within(&SchemaManagerConnection::Transaction(&transaction), change).await?;
        Ok(transaction.commit().await?)
    }

    async fn change_within(
        &self,
        db: &SchemaManagerConnection<'_>,
        change: &Change,
    ) -> Result<(), ResealError> {
        self.ring(db).await?.change_manifest(db, |manifest| Ok(change(manifest)?)).await?;
        Ok(self.lock.fence(db).await?)
    }
}

#[async_trait]
impl RunLock for KeyedTable {
    async fn require_lock(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        require_lock(&self.lock, db).await
    }
}

/// Fails once the run lock is lost.
pub(crate) async fn require_lock(
    lock: &Lock,
    db: &SchemaManagerConnection<'_>,
) -> Result<(), DbErr> {
    lock.look(db).await.map_err(|error| ResealError::from(error).into())
}

impl From<ResealError> for DbErr {
    fn from(error: ResealError) -> Self {
        match error {
            ResealError::Database(error) => error,
            error => db::wrapped(error),
        }
    }
}

fn refuse(bad: &[Bad]) -> Result<(), ResealError> {
    match bad.first() {
        None => Ok(()),
        Some(first) => Err(ResealError::Unverified {
            count: bad.len(),
            row: first.row.clone(),
            reason: first.reason.to_string(),
        }),
    }
}

/// Pages have transactions of their own, so they need the pool.
fn pool<'c>(db: &SchemaManagerConnection<'c>) -> Result<&'c DatabaseConnection, ResealError> {
    match db {
        SchemaManagerConnection::Connection(db) => Ok(db),
        _ => Err(DbErr::Custom(
            "this step commits its own pages and cannot run inside a transaction".into(),
        )
        .into()),
    }
}
