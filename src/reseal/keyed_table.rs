//! One table with the ring and the run lock: what the phase machine does to its rows and to its manifest entry.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DbErr};
use sea_orm_migration::SchemaManagerConnection;
use strongroom_entity::SealedTable;
use strongroom_migration::{Phase, RunLock};
use tokio::sync::OnceCell;

use super::changed::ChangedRows;
use super::direction::Direction;
use super::engine::Engine;
use super::error::ResealError;
use super::options::Options;
use super::quarantine::Bad;
use super::verify::verify;
use crate::db::{self, Lock};
use crate::key::{EpochFloor, Manifest, ManifestError, Ring, RingAccess, Roots};

/// A change of the manifest that may be tried again.
pub(crate) type Change = dyn Fn(&mut Manifest) -> Result<(), ManifestError> + Send + Sync;

/// Passes of repairing while programs write. A second one is needed where rows were renumbered.
const PASSES: u32 = 3;
/// So many rows may be in the midst of a change while they are verified. More are wrong.
const DOUBTFUL: usize = 1000;

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

    /// Seals what is missing, and what does not open to its plaintext, page by page. The guards must stand that require
    /// cells: a row that is written meanwhile is as they want it.
    pub(crate) async fn seal_rest(
        &self,
        db: &SchemaManagerConnection<'_>,
    ) -> Result<(), ResealError> {
        self.require(db, Direction::Seal).await?;
        let db = pool(db)?;
        let ring = self.ring(&SchemaManagerConnection::Connection(db)).await?;
        let engine = self.engine(db, ring);
        for _ in 0..PASSES {
            refuse(&engine.repair(Direction::Seal).await?)?;
            if engine.lacking(Direction::Seal).await? == 0 {
                return Ok(());
            }
        }
        Err(ResealError::LeftBehind { count: engine.lacking(Direction::Seal).await? })
    }

    /// Fails unless every cell opens to its plaintext, as far as that can be told while programs write. `list` must have
    /// stood before: what changes meanwhile is left on it.
    pub(crate) async fn verify(
        &self,
        db: &SchemaManagerConnection<'_>,
        list: &str,
    ) -> Result<(), ResealError> {
        let db = pool(db)?;
        let ring = self.ring(&SchemaManagerConnection::Connection(db)).await?;
        let changed = self.changed(&ring, list, false);
        changed.clear(db).await?;
        let found = verify(db, &ring, self.table, Phase::Required, &self.options).await?;
        refuse(&found.failed)?;
        changed.shorten(db, &self.lock).await
    }

    /// With writers excluded: fails unless the cells of the rows on the list open to their plaintext.
    pub(crate) async fn verify_changed(
        &self,
        db: &SchemaManagerConnection<'_>,
        list: &str,
    ) -> Result<(), ResealError> {
        let ring = self.ring(db).await?;
        refuse(&self.changed(&ring, list, false).finish(db).await?)
    }

    /// Opens every cell beside itself, page by page, in transactions of its own.
    pub(crate) async fn open(&self, db: &SchemaManagerConnection<'_>) -> Result<(), ResealError> {
        self.run(db, Direction::Open).await.map(drop)
    }

    /// Opens what is missing or differs, page by page, and reads it again: a session that is not strict cuts, and a trigger
    /// changes. `list` must have stood before: what changes meanwhile is left on it. Fails if a cell does not open.
    pub(crate) async fn open_rest(
        &self,
        db: &SchemaManagerConnection<'_>,
        list: &str,
    ) -> Result<(), ResealError> {
        self.require(db, Direction::Open).await?;
        let db = pool(db)?;
        let ring = self.ring(&SchemaManagerConnection::Connection(db)).await?;
        let changed = self.changed(&ring, list, true);
        changed.clear(db).await?;
        // Rows without plaintext that a program writes from here on are on the list: verifying admits them.
        let bad = self.engine(db, ring.clone()).repair(Direction::Open).await?;
        refuse(&bad)?;
        let found = verify(db, &ring, self.table, Phase::Restoring, &self.options).await?;
        if found.failed.len() > DOUBTFUL {
            return refuse(&found.failed);
        }
        changed.add(db, &found.failed).await?;
        changed.shorten(db, &self.lock).await
    }

    /// With writers excluded: opens the cells of the rows on the list; fails if one does not open, or not to its plaintext.
    pub(crate) async fn open_changed(
        &self,
        db: &SchemaManagerConnection<'_>,
        list: &str,
    ) -> Result<(), ResealError> {
        self.require(db, Direction::Open).await?;
        let ring = self.ring(db).await?;
        let changed = self.changed(&ring, list, true);
        match db {
            // Each change of the schema would end a transaction here, and the announcement must not outlive it.
            SchemaManagerConnection::Connection(db) => {
                let transaction = db::begin(db).await?;
                let bad = changed.finish(&transaction).await?;
                self.lock.fence(&transaction).await?;
                transaction.commit().await?;
                refuse(&bad)
            }
            _ => refuse(&changed.finish(db).await?),
        }
    }

    fn changed<'a>(&self, ring: &'a Arc<Ring>, list: &'a str, opens: bool) -> ChangedRows<'a> {
        ChangedRows { table: self.table, ring, list, opens }
    }

    fn engine<'a>(&'a self, db: &'a DatabaseConnection, ring: Arc<Ring>) -> Engine<'a> {
        Engine { db, ring, lock: &self.lock, table: self.table, options: &self.options }
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
        Ok(self.engine(db, ring).run(direction).await?.bad)
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
