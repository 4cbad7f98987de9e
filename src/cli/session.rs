//! What most commands need: the configuration, a pool, the root key, the run lock.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::DatabaseConnection;

use super::failure::Failure;
use super::global::Global;
use crate::config::Config;
use crate::credential::Store;
use crate::db::{self, Access, Address, DbErr, Lock};
use crate::key::{Ring, RingError, Roots};
use crate::reseal::Stop;
use crate::schema;
use strongroom_migration::Migrator;

/// A command's surroundings.
pub(super) struct Session {
    pub(super) config: Config,
    yes: bool,
    pools: Mutex<Vec<DatabaseConnection>>,
    pub(super) stop: Stop,
}

impl Session {
    /// `stop` is what a run asks between pages whether to go on.
    pub(super) fn new(global: &Global, stop: Stop) -> Result<Self, Failure> {
        Ok(Self::of(Config::read(global.config.as_deref())?, global.yes, stop))
    }

    pub(super) fn of(config: Config, yes: bool, stop: Stop) -> Self {
        Self { config, yes, pools: Mutex::default(), stop }
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

    pub(super) async fn connect_to(&self, address: &Address, access: Access) -> Result<DatabaseConnection, DbErr> {
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

    /// The roots of the configuration: that of `[keys]`, and that of `[keys.next]` if there is one.
    pub(super) async fn roots(&self) -> Result<Arc<Roots>, Failure> {
        let roots = Roots::from(self.config.key_source()?.root().await?);
        match self.config.next_key_source()? {
            Some(next) => Ok(Arc::new(roots.with_next(next.root().await?))),
            None => Ok(Arc::new(roots)),
        }
    }

    /// The ring, where the database has one.
    pub(super) async fn ring(&self, db: &DatabaseConnection) -> Result<Option<Arc<Ring>>, Failure> {
        if !db::has_table(db, "strongroom_manifest").await? {
            return if self.config.minimum_epoch() > 0 { Err(RingError::Missing.into()) } else { Ok(None) };
        }
        Ok(Some(Arc::new(Ring::load(db, self.roots().await?, self.config.minimum_epoch()).await?)))
    }

    pub(super) async fn store(&self, access: Access) -> Result<Store, Failure> {
        let db = self.connect_to_ours(access).await?;
        let sealed = db::has_table(&db, "strongroom_manifest").await?;
        let root = if sealed { Some(self.roots().await?) } else { None };
        Ok(Store::new(db, root, self.config.minimum_epoch()))
    }

    /// A store for what opens nothing.
    pub(super) async fn keyless_store(&self, access: Access) -> Result<Store, Failure> {
        Ok(Store::new(self.connect_to_ours(access).await?, None, self.config.minimum_epoch()))
    }

    /// A pool, unless the database is newer, edited or somebody else's.
    pub(super) async fn connect_to_ours(&self, access: Access) -> Result<DatabaseConnection, Failure> {
        let db = self.connect(access).await?;
        schema::status(&db, &Migrator::without_keys().steps()).await?;
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
