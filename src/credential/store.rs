//! The repository. Programs go through it at every phase of an upgrade.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseConnection, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use strongroom_entity::credential::{Column, Entity};
use strongroom_migration::Phase;

use super::row;
use super::{Listed, NewCredential, Page, StoreError};
use crate::db::{has_table, is_conflict, is_constraint_violation, is_sealed_under_gone_key};
use crate::key::{EpochFloor, Manifest, Ring, RingAccess, RingError, Roots, ScopedKeys, scope_of};
use crate::reseal::{ResealError, refuse_contradiction};

/// Runs work in the table's current phase, and repeats it if the phase has changed. A macro, like `db::retry!`, because a
/// closure's future could not be `Send` here.
macro_rules! at_phase {
    ($store:expr, $phase:ident => $work:expr) => {{
        let mut left = $crate::credential::store::ATTEMPTS;
        let mut held = $crate::db::Patience::default();
        let mut conflicts = 0;
        loop {
            let $phase = $store.phase().await?;
            left -= 1;
            match $work.await {
                Err($crate::credential::StoreError::Database(error))
                    if $crate::db::is_held(&error) =>
                {
                    left += 1;
                    if !held.again(&error).await {
                        break Err($crate::credential::StoreError::Held);
                    }
                }
                Err(error) if left > 0 && $store.is_outdated(&error, $phase).await? => {}
                Err(error) if $crate::credential::store::again(&error, &mut conflicts).await => {
                    left += 1;
                }
                done => break done,
            }
        }
    }};
}
pub(super) use at_phase;

/// The credentials of a database.
pub struct Store {
    pub(super) db: DatabaseConnection,
    root: Option<Arc<Roots>>,
    floor: EpochFloor,
    keys: RwLock<Option<Arc<ScopedKeys>>>,
    /// The epoch whose manifest was compared with the database.
    judged: AtomicI64,
    /// Whether the share was given, and the ring is not this login's to read.
    is_given: bool,
}

/// Which credentials to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this user's.
    pub user_id: Option<String>,
    /// Only this project's.
    pub project_id: Option<String>,
    /// Only those after this id.
    pub after: Option<String>,
}

impl Store {
    /// A store over a pool. The root key is needed as soon as the database has a key ring.
    pub fn new(
        db: DatabaseConnection,
        root: Option<Arc<Roots>>,
        floor: impl Into<EpochFloor>,
    ) -> Self {
        Self {
            db,
            root,
            floor: floor.into(),
            keys: RwLock::new(None),
            judged: AtomicI64::new(0),
            is_given: false,
        }
    }

    /// A store over a component's pool, with its share of the ring: what it may not do is refused by the database, or for
    /// want of a key.
    pub fn of_component(db: DatabaseConnection, keys: Arc<ScopedKeys>) -> Self {
        Self {
            db,
            root: None,
            floor: EpochFloor::default(),
            keys: RwLock::new(Some(keys)),
            judged: AtomicI64::new(0),
            is_given: true,
        }
    }

    /// Stores a credential.
    pub async fn create(&self, new: &NewCredential) -> Result<(), StoreError> {
        self.insert(std::slice::from_ref(new)).await
    }

    /// Stores all of them, or none.
    pub async fn insert(&self, rows: &[NewCredential]) -> Result<(), StoreError> {
        for row in rows {
            row.check()?;
        }
        at_phase!(self, phase => self.insert_at(rows, phase)).map_err(refused)
    }

    /// Gives the credential of this id every value anew; false when it is not there.
    #[cfg(feature = "keystone")]
    pub(crate) async fn replace(&self, row: &NewCredential) -> Result<bool, StoreError> {
        row.check()?;
        at_phase!(self, phase => self.replace_at(row, phase)).map_err(refused)
    }

    /// A page of the list, at most `limit` rows. Opens nothing and needs no key.
    pub async fn list(&self, filter: &Filter, limit: u64) -> Result<Page, StoreError> {
        self.require_table().await?;
        let mut wanted = Condition::all();
        wanted = wanted.add_option(filter.user_id.as_ref().map(|user| Column::UserId.eq(user)));
        wanted = wanted
            .add_option(filter.project_id.as_ref().map(|project| Column::ProjectId.eq(project)));
        wanted = wanted.add_option(filter.after.as_ref().map(|after| Column::Id.gt(after)));
        let columns =
            [Column::Id, Column::UserId, Column::ProjectId, Column::Type, Column::CreatedAt];
        let select =
            Entity::find().select_only().columns(columns).filter(wanted).order_by_asc(Column::Id);
        let mut credentials: Vec<Listed> =
            select.limit(limit + 1).into_model().all(&self.db).await?;
        let more = credentials.len() as u64 > limit;
        credentials.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = credentials.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Page { credentials, next })
    }

    /// Removes the credential with this access key.
    pub async fn delete(&self, access: &str) -> Result<(), StoreError> {
        let id = self.find(access, false).await?.id;
        self.delete_by_id(&id).await
    }

    /// Removes the credential with this id; works for one that does not open.
    pub async fn delete_by_id(&self, id: &str) -> Result<(), StoreError> {
        self.require_table().await?;
        let mut conflicts = 0;
        let gone = loop {
            match Entity::delete_by_id(id).exec(&self.db).await.map_err(StoreError::from) {
                Err(error) if again(&error, &mut conflicts).await => {}
                done => break done?,
            }
        };
        if gone.rows_affected == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    /// The phase of the table now, from a manifest at most [`LIFETIME`](crate::key::LIFETIME) old.
    pub async fn phase(&self) -> Result<Phase, StoreError> {
        match self.keys().await? {
            Some(keys) => phase_of(&keys),
            None => self.require_table().await.map(|()| Phase::Plain),
        }
    }

    /// A component's pool is there only after the table.
    async fn require_table(&self) -> Result<(), StoreError> {
        if self.is_given || has_table(&self.db, "credential").await? {
            Ok(())
        } else {
            Err(StoreError::NoTable)
        }
    }

    /// The keys, fresh enough; `None` while the database has none.
    pub(super) async fn keys(&self) -> Result<Option<Arc<ScopedKeys>>, StoreError> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(keys) = known {
            match keys.refresh().await {
                Err(RingError::Database(_)) if self.has_lost_the_ring().await? => {
                    self.forget_keys();
                }
                refreshed => {
                    refreshed?;
                    if !self.is_given {
                        self.refuse_contradiction(&keys.manifest()).await?;
                    }
                    return Ok(Some(keys));
                }
            }
        }
        if !has_table(&self.db, MANIFEST_TABLE).await? {
            self.floor.judge_absent()?;
            return Ok(None);
        }
        let root = self.root.clone().ok_or(StoreError::NoRoot)?;
        let ring = Arc::new(Ring::load(&self.db, RingAccess::new(root, self.floor.clone())).await?);
        self.refuse_contradiction(&ring.manifest()).await?;
        ring.remember(&self.db).await?;
        let keys = Arc::new(ScopedKeys::whole(ring, self.db.clone()));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(Some(keys))
    }

    /// Looks once for each epoch: nothing changes a phase without a new one.
    async fn refuse_contradiction(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let epoch = manifest.epoch.number();
        if self.judged.swap(epoch, Ordering::Relaxed) == epoch {
            return Ok(());
        }
        let judged = refuse_contradiction(&self.db, manifest).await;
        if judged.is_err() {
            self.judged.store(0, Ordering::Relaxed);
        }
        judged.map_err(|error| match error {
            ResealError::Ring(error) => error.into(),
            ResealError::Database(error) => error.into(),
            _ => StoreError::UnknownPhase,
        })
    }

    /// The database went down past the ring.
    async fn has_lost_the_ring(&self) -> Result<bool, StoreError> {
        Ok(!self.is_given && !has_table(&self.db, MANIFEST_TABLE).await?)
    }

    fn forget_keys(&self) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    #[cfg(feature = "keystone")]
    async fn replace_at(&self, row: &NewCredential, phase: Phase) -> Result<bool, StoreError> {
        let keys = self.keys_for(std::slice::from_ref(row), phase).await?;
        Ok(self.db.execute(&row::update(row, phase, keys.as_deref())?).await?.rows_affected() > 0)
    }

    async fn insert_at(&self, rows: &[NewCredential], phase: Phase) -> Result<(), StoreError> {
        let keys = self.keys_for(rows, phase).await?;
        self.db.execute(&row::insert(rows, phase, keys.as_deref())?).await?;
        Ok(())
    }

    /// The keys, with one for each row's scope where rows are sealed.
    async fn keys_for(
        &self,
        rows: &[NewCredential],
        phase: Phase,
    ) -> Result<Option<Arc<ScopedKeys>>, StoreError> {
        let keys = self.keys().await?;
        if let Some(keys) = keys.as_ref().filter(|_| phase != Phase::Plain) {
            keys.prepare(rows.iter().map(|row| scope_of(row.project_id.as_deref()))).await?;
        }
        Ok(keys)
    }

    /// Whether a failed statement must be repeated: the keys were rolled between preparation and sealing, or an upgrade has
    /// moved the table to another phase.
    pub(super) async fn is_outdated(
        &self,
        error: &StoreError,
        phase: Phase,
    ) -> Result<bool, StoreError> {
        match error {
            StoreError::Ring(RingError::NoKey) => return Ok(true),
            // The next attempt reads the ring again, and seals under a key that is there.
            StoreError::Database(refused) if is_sealed_under_gone_key(refused) => {
                let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(keys) = keys {
                    keys.forget_keys();
                }
                return Ok(true);
            }
            StoreError::Database(_) => {}
            _ => return Ok(false),
        }
        if self.has_lost_the_ring().await? {
            self.forget_keys();
        }
        if let Some(keys) = self.keys().await? {
            keys.refresh_now().await?;
        }
        Ok(self.phase().await? != phase)
    }
}

const MANIFEST_TABLE: &str = "strongroom_manifest";
/// How often a statement is tried again that lost to another transaction: on a cluster each node can end another's.
const CONFLICTS: u32 = 8;

/// Waits and says true when the statement met another transaction and is worth another attempt.
pub(super) async fn again(error: &StoreError, conflicts: &mut u32) -> bool {
    let (StoreError::Database(cause) | StoreError::Ring(RingError::Database(cause))) = error else {
        return false;
    };
    *conflicts += 1;
    if *conflicts > CONFLICTS || !is_conflict(cause) {
        return false;
    }
    tokio::time::sleep(std::time::Duration::from_millis(20 << *conflicts.min(&mut 5))).await;
    true
}

/// An upgrade moves a table through several phases; a statement meets more than one at most rarely.
pub(super) const ATTEMPTS: u32 = 4;

fn phase_of(keys: &ScopedKeys) -> Result<Phase, StoreError> {
    keys.phase("credential").ok_or(StoreError::UnknownPhase)
}

/// The driver's own text may quote the row; ours does not.
fn refused(error: StoreError) -> StoreError {
    match error {
        StoreError::Database(error)
            if matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))) =>
        {
            StoreError::Exists
        }
        StoreError::Database(error) if is_sealed_under_gone_key(&error) => {
            RingError::KeyGone.into()
        }
        StoreError::Database(error) if is_constraint_violation(&error) => StoreError::Refused,
        error => error,
    }
}
