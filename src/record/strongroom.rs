//! A database connection with its key ring.

use std::sync::Arc;
use std::time::Instant;

use sea_orm::DatabaseConnection;
use strongroom_entity::SealedTable;
use strongroom_migration::Phase;

use super::RecordError;
use super::connection::goes_where_a_connection_goes;
use super::keyed::HasKeys;
use crate::db::Lock;
use crate::key::{Ring, RingAccess, Rolling, ScopedKeys};
use crate::reseal::{self, Options, ResealError, RollReport};

/// A database connection with its key ring. Clones share both. Goes wherever sea-orm takes a connection.
///
/// What opens and seals stands in [`Keyed`](super::Keyed), and in [`Draft`](super::Draft). Which generation is active is read
/// from the database at most every half second, so a program notices a roll by itself.
#[derive(Clone)]
pub struct Strongroom {
    db: DatabaseConnection,
    keys: Arc<ScopedKeys>,
}

impl Strongroom {
    /// Loads the ring of a database, which [`install_ring`](crate::schema::install_ring) made.
    ///
    /// The ring is read on connections of this pool, or on a transaction's own while the pool has none left. The key of a new
    /// scope is committed on a connection beside the transaction's, and [`RingError::NoConnection`](crate::key::RingError)
    /// says at once where there is none: the rows are sealed before the transaction begins, or the keys have a small pool of
    /// their own ([`Strongroom::of`], [`ScopedKeys::whole`](crate::key::ScopedKeys::whole)).
    ///
    /// Fails with [`RecordError::Ring`] where there is no ring, or it is under another root, was forged, is older than
    /// is accepted, or of a newer release.
    pub async fn load(
        db: DatabaseConnection,
        access: impl Into<RingAccess>,
    ) -> Result<Self, RecordError> {
        let ring = Arc::new(Ring::load(&db, access).await?);
        let keys = Arc::new(ScopedKeys::whole(ring, db.clone()));
        Ok(Self { db, keys })
    }

    /// For a program that holds some columns' keys only, as a component does.
    pub fn of(db: DatabaseConnection, keys: Arc<ScopedKeys>) -> Self {
        Self { db, keys }
    }

    /// Fails unless every one of these tables is sealed, wholly and in the way that the program was built for. For the start
    /// of a program: one that is older or newer than the database must not write to it.
    pub async fn require(&self, tables: &[&'static SealedTable]) -> Result<(), RecordError> {
        self.keys.refresh_now().await?;
        let manifest = self.keys.manifest();
        for table in tables {
            match manifest.phase(table.name) {
                Some(Phase::Sealed) if manifest.binds(table) => {}
                Some(Phase::Sealed) => return Err(RecordError::SealedOtherwise(table.name)),
                phase => return Err(RecordError::NotSealed { table: table.name, phase }),
            }
        }
        Ok(())
    }

    /// Moves every cell of the database to a new key generation, or back to the one before, while programs read and write:
    /// of this program's tables and of all others, under the run lock. An unfinished roll is continued, never doubled: after a
    /// crash the same call goes on. Fails at once while another run holds the lock, and for a program that holds a share only.
    pub async fn roll(
        &self,
        direction: Rolling,
        options: &Options,
    ) -> Result<RollReport, ResealError> {
        let ring = self.keys.whole_ring()?;
        let lock = Lock::take(&self.db).await?;
        let done = match ring.reload(&self.db).await {
            Ok(()) => reseal::roll(&self.db, ring, &lock, direction, options).await,
            Err(error) => Err(error.into()),
        };
        // The lease ends by itself where it cannot be given back.
        if let Err(error) = lock.release().await {
            tracing::warn!(%error, "the run lock was not given back; it ends by itself");
        }
        done
    }

    /// The connection alone.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }
}

impl HasKeys for Strongroom {
    fn keys(&self) -> &ScopedKeys {
        &self.keys
    }

    fn begun(&self) -> Option<Instant> {
        None
    }
}

goes_where_a_connection_goes!(Strongroom, db, DatabaseConnection);
