//! What most commands need: the configuration, a pool, the root key, the run lock.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::DatabaseConnection;
use tokio::sync::OnceCell;

use super::failure::Failure;
use super::global::Global;
use crate::config::Config;
use strongroom::credential::Store;
use strongroom::internal::db::{self, Access, Address, DbErr, Lock};
use strongroom::internal::reseal::{self, Stop};
use strongroom::key::{EpochFloor, Ring, RingAccess, RingError, Roots};
use strongroom::migration::Migrator;
use strongroom::schema;

const MANIFEST: &str = "strongroom_manifest";

/// A command's surroundings.
pub(super) struct Session {
    pub(super) config: Config,
    yes: bool,
    pools: Mutex<Vec<DatabaseConnection>>,
    roots: OnceCell<Arc<Roots>>,
    pub(super) stop: Stop,
}

impl Session {
    /// `stop` is what a run asks between pages whether to go on.
    pub(super) fn new(global: &Global, stop: Stop) -> Result<Self, Failure> {
        Ok(Self::of(Config::read(global.config.as_deref())?, global.yes, stop))
    }

    pub(super) fn of(config: Config, yes: bool, stop: Stop) -> Self {
        Self { config, yes, pools: Mutex::default(), roots: OnceCell::new(), stop }
    }

    pub(super) fn yes(&self) -> bool {
        self.yes
    }

    pub(super) fn address(&self) -> Result<Address, Failure> {
        Ok(self.config.database()?)
    }

    pub(super) async fn connect(&self, access: Access) -> Result<DatabaseConnection, Failure> {
        Ok(self.connect_to(&self.address()?, access).await?)
    }

    pub(super) async fn connect_to(
        &self,
        address: &Address,
        access: Access,
    ) -> Result<DatabaseConnection, DbErr> {
        tracing::debug!(%address, ?access, "connecting");
        let db = db::connect(address, access).await?;
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).push(db.clone());
        Ok(db)
    }

    /// Closes what was opened, so that SQLite folds its write-ahead log back into the file.
    pub(super) async fn close(self) {
        for db in self.pools.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if let Err(error) = db.close().await {
                tracing::debug!(%error, "closing");
            }
        }
    }

    /// The roots of the configuration: that of `[keys]`, and that of `[keys.next]` if there is one. Fetched once.
    pub(super) async fn roots(&self) -> Result<Arc<Roots>, Failure> {
        self.roots.get_or_try_init(|| self.fetch_roots()).await.cloned()
    }

    async fn fetch_roots(&self) -> Result<Arc<Roots>, Failure> {
        let roots = Roots::from(self.config.key_source()?.root().await?);
        match self.config.next_key_source()? {
            Some(next) => Ok(Arc::new(roots.with_next(next.root().await?))),
            None => Ok(Arc::new(roots)),
        }
    }

    /// The least manifest epoch that is accepted of the configured database.
    pub(super) fn floor(&self) -> Result<EpochFloor, Failure> {
        Ok(self.config.epoch_floor(&self.address()?)?)
    }

    /// What opens the database's key ring.
    pub(super) async fn ring_access(&self) -> Result<RingAccess, Failure> {
        Ok(RingAccess::new(self.roots().await?, self.floor()?))
    }

    /// Refuses a database that went back, before anything is written; remembers the epoch of one that did not.
    pub(super) async fn refuse_older(&self, db: &DatabaseConnection) -> Result<(), Failure> {
        let floor = self.floor()?;
        if !db::has_table(db, MANIFEST).await? {
            return Ok(floor.judge_absent()?);
        }
        let roots = self.roots().await.ok();
        let manifest = match floor.judge_database(db, roots.as_deref()).await {
            // A login without a right on the ring opens nothing either.
            Err(RingError::Database(error)) if db::is_refused(&error) => None,
            judged => judged?,
        };
        if let (Some(manifest), Some(roots)) = (manifest, roots) {
            reseal::refuse_contradiction(db, &manifest).await?;
            floor.remember(db, &roots).await?;
        }
        Ok(())
    }

    /// The ring, where the database has one.
    pub(super) async fn ring(&self, db: &DatabaseConnection) -> Result<Option<Arc<Ring>>, Failure> {
        let floor = self.floor()?;
        if !db::has_table(db, MANIFEST).await? {
            floor.judge_absent()?;
            return Ok(None);
        }
        let ring = Ring::load(db, RingAccess::new(self.roots().await?, floor)).await?;
        reseal::refuse_contradiction(db, &ring.manifest()).await?;
        ring.remember(db).await?;
        Ok(Some(Arc::new(ring)))
    }

    /// The ring at whatever epoch: for showing how things stand.
    pub(super) async fn ring_at_any_epoch(
        &self,
        db: &DatabaseConnection,
    ) -> Result<Option<Arc<Ring>>, Failure> {
        if !db::has_table(db, MANIFEST).await? {
            return Ok(None);
        }
        Ok(Some(Arc::new(Ring::load(db, self.roots().await?).await?)))
    }

    pub(super) async fn store(&self, access: Access) -> Result<Store, Failure> {
        let db = self.connect_to_ours(access).await?;
        let sealed = db::has_table(&db, MANIFEST).await?;
        let root = if sealed { Some(self.roots().await?) } else { None };
        Ok(Store::new(db, root, self.floor()?))
    }

    /// A store for what opens nothing.
    pub(super) async fn keyless_store(&self, access: Access) -> Result<Store, Failure> {
        Ok(Store::new(self.connect_to_ours(access).await?, None, self.floor()?))
    }

    /// A pool, unless the database is newer, edited, somebody else's, or went back behind what this host has seen.
    pub(super) async fn connect_to_ours(
        &self,
        access: Access,
    ) -> Result<DatabaseConnection, Failure> {
        let db = self.connect(access).await?;
        schema::status(&db, &Migrator::without_keys().steps()).await?;
        self.refuse_older(&db).await?;
        Ok(db)
    }

    /// The run lock, with the runner's own tables made first.
    pub(super) async fn lock(&self, db: &DatabaseConnection) -> Result<Arc<Lock>, Failure> {
        schema::install(db).await?;
        Ok(Arc::new(Lock::take(db).await?))
    }
}

/// Gives the lock back; one that was lost meanwhile is nobody's concern any more.
pub(super) async fn release(lock: Arc<Lock>) {
    let Some(lock) = Arc::into_inner(lock) else {
        return tracing::warn!("the run lock is in use and was not given back; it ends by itself");
    };
    if let Err(error) = lock.release().await {
        tracing::warn!(%error, "the run lock was not given back; it ends by itself");
    }
}
