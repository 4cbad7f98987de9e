//! The keyed work of schema steps: the engine, behind the trait that the steps know.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};
use sea_orm_migration::SchemaManagerConnection;
use strongroom_entity::{SealedTable, credential};
use strongroom_migration::{Backfill, Phase};
use tokio::sync::OnceCell;

use super::direction::Direction;
use super::engine::{Engine, finish_excluded};
use super::error::ResealError;
use super::options::Options;
use super::quarantine::Bad;
use super::roll::sealed_tables;
use super::verify::verify;
use crate::db::{self, Lock};
use crate::key::{EpochFloor, Manifest, ManifestError, Ring, Roots};

/// A change of the manifest that may be tried again.
pub(crate) type Change = dyn Fn(&mut Manifest) -> Result<(), ManifestError> + Send + Sync;

/// Does the steps' keyed work on one table, under the run lock.
pub struct ResealBackfill {
    table: &'static SealedTable,
    root: Option<Arc<Roots>>,
    floor: EpochFloor,
    lock: Arc<Lock>,
    options: Options,
    ring: OnceCell<Arc<Ring>>,
}

impl ResealBackfill {
    /// Of the credentials. The ring need not exist yet: step 2 makes it. Steps that need no keys run without a root.
    pub fn new(
        root: Option<Arc<Roots>>,
        floor: impl Into<EpochFloor>,
        lock: Arc<Lock>,
        options: Options,
    ) -> Self {
        Self {
            table: credential::TABLE,
            root,
            floor: floor.into(),
            lock,
            options,
            ring: OnceCell::new(),
        }
    }

    /// The same of another table.
    #[must_use]
    pub fn of(self, table: &'static SealedTable) -> Self {
        Self { table, ..self }
    }

    /// The ring as the database has it now: a transaction that failed may have left keys in memory
    /// that were never committed, and a cell under such a key would be lost.
    async fn ring(&self, db: &SchemaManagerConnection<'_>) -> Result<Arc<Ring>, ResealError> {
        let load = || async {
            let root = self.root.clone().ok_or(ResealError::NoRoot)?;
            Ok::<_, ResealError>(Arc::new(
                Ring::load_without_keys(db, root, self.floor.clone()).await?,
            ))
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
        let bad =
            finish_excluded(db, &self.ring(db).await?, self.table, direction, &self.options.stop)
                .await?;
        refuse(&bad)
    }

    /// The manifest is authenticated and the history is not: cells are never overwritten by plaintext,
    /// nor plaintext by cells, because somebody edited the history.
    async fn require(
        &self,
        db: &SchemaManagerConnection<'_>,
        direction: Direction,
    ) -> Result<(), ResealError> {
        let found = self.phase_now(db).await?;
        let right = match direction {
            Direction::Seal => matches!(found, Phase::Dual | Phase::Filled),
            Direction::Open => found == Phase::Restoring,
            Direction::Roll => found != Phase::Plain,
        };
        if right { Ok(()) } else { Err(ResealError::WrongPhase { found: found.as_str() }) }
    }

    async fn phase_now(&self, db: &SchemaManagerConnection<'_>) -> Result<Phase, ResealError> {
        let manifest = self.ring(db).await?.manifest();
        manifest.phase(self.table.name).ok_or(ResealError::UnknownPhase)
    }

    /// The manifest as the database has it now.
    pub(crate) async fn manifest(
        &self,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<Manifest, DbErr> {
        self.ring(db).await.map(|ring| ring.manifest()).map_err(carry)
    }

    /// Changes the manifest under the run lock: in a transaction of its own, unless one is open.
    pub(crate) async fn change_manifest(
        &self,
        db: &SchemaManagerConnection<'_>,
        change: &Change,
    ) -> Result<(), DbErr> {
        let changed = match db {
            SchemaManagerConnection::Connection(db) => {
                db::retry!(self.change_in_own_transaction(db, change))
            }
            _ => self.change_within(db, change).await,
        };
        changed.map_err(carry)
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

    async fn move_to(
        &self,
        db: &SchemaManagerConnection<'_>,
        phase: Phase,
    ) -> Result<(), ResealError> {
        match db {
            SchemaManagerConnection::Connection(db) => {
                db::retry!(self.move_in_own_transaction(db, phase))
            }
            _ => self.move_within(db, phase).await,
        }
    }

    async fn move_in_own_transaction(
        &self,
        db: &DatabaseConnection,
        phase: Phase,
    ) -> Result<(), ResealError> {
        let transaction = db::begin(db).await?;
        self.move_within(&SchemaManagerConnection::Transaction(&transaction), phase).await?;
        Ok(transaction.commit().await?)
    }

    async fn move_within(
        &self,
        db: &SchemaManagerConnection<'_>,
        phase: Phase,
    ) -> Result<(), ResealError> {
        let found = self.phase_now(db).await?;
        if !found.leads_to(phase) {
            return Err(ResealError::WrongPhase { found: found.as_str() });
        }
        let change = |manifest: &mut Manifest| {
            manifest.set_phase(self.table.name, phase);
            Ok(())
        };
        self.ring(db).await?.change_manifest(db, change).await?;
        Ok(self.lock.fence(db).await?)
    }

    /// All of the ring or nothing: keys without their manifest would shut out those of the next attempt.
    async fn make_ring_once(&self, db: &SchemaManagerConnection<'_>) -> Result<(), ResealError> {
        let root = self.root.as_ref().ok_or(ResealError::NoRoot)?;
        let SchemaManagerConnection::Connection(db) = db else {
            return Ok(Ring::make(db, root.current()).await?);
        };
        let transaction = db::begin(db).await?;
        Ring::make(&transaction, root.current()).await?;
        self.lock.fence(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn verify_all(&self, db: &SchemaManagerConnection<'_>) -> Result<(), ResealError> {
        let ring = self.ring(db).await?;
        let found = verify(db, &ring, self.table, Phase::Required, &self.options).await?;
        refuse(&found.failed)
    }
}

#[async_trait]
impl Backfill for ResealBackfill {
    async fn require_lock(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        self.lock.look(db).await.map_err(|error| carry(error.into()))
    }

    async fn make_ring(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        self.make_ring_once(db).await.map_err(carry)
    }

    async fn has_cells(&self, db: &SchemaManagerConnection<'_>) -> Result<bool, DbErr> {
        let manifest = self.ring(db).await.map_err(carry)?.manifest();
        sealed_tables(&manifest).map(|tables| !tables.is_empty()).map_err(carry)
    }

    async fn phase(&self, db: &SchemaManagerConnection<'_>) -> Result<Phase, DbErr> {
        self.phase_now(db).await.map_err(carry)
    }

    async fn set_phase(&self, db: &SchemaManagerConnection<'_>, phase: Phase) -> Result<(), DbErr> {
        self.move_to(db, phase).await.map_err(carry)
    }

    async fn seal(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        match self.run(db, Direction::Seal).await.map_err(carry)? {
            0 => Ok(()),
            count => Err(carry(ResealError::LeftBehind { count })),
        }
    }

    async fn seal_rest(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        self.rest(db, Direction::Seal).await.map_err(carry)
    }

    async fn verify(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        self.verify_all(db).await.map_err(carry)
    }

    async fn open(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        self.run(db, Direction::Open).await.map(drop).map_err(carry)
    }

    async fn open_rest(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        self.rest(db, Direction::Open).await.map_err(carry)
    }
}

/// The steps speak `DbErr`; the runner takes the error out again with [`uncarry`].
fn carry(error: ResealError) -> DbErr {
    match error {
        ResealError::Database(error) => error,
        error => DbErr::TryIntoErr {
            from: "keyed work",
            into: "a finished step",
            source: Arc::new(error),
        },
    }
}

/// The reseal error that a step passed through, if it is one.
pub(crate) fn uncarry(error: &DbErr) -> Option<&ResealError> {
    match error {
        DbErr::TryIntoErr { source, .. } => source.downcast_ref(),
        _ => None,
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
