//! The repository. Programs go through it at every phase of an upgrade.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use strongroom_entity::credential::{AccessKey, Column, Entity, SecretKey};
use strongroom_entity::{Bound, Label, plain_credential};
use strongroom_migration::Phase;
use zeroize::Zeroizing;

use super::read::{Row, Unrevealed};
use super::row;
use super::{Credential, Listed, NewCredential, Page, StoreError};
use crate::db::{has_table, is_constraint_violation};
use crate::key::{Ring, RingError, Roots, Share, Unopened, scope_of};

/// The credentials of a database.
pub struct Store {
    db: DatabaseConnection,
    root: Option<Arc<Roots>>,
    minimum_epoch: i64,
    keys: RwLock<Option<Arc<Share>>>,
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
    pub fn new(db: DatabaseConnection, root: Option<Arc<Roots>>, minimum_epoch: i64) -> Self {
        Self { db, root, minimum_epoch, keys: RwLock::new(None), is_given: false }
    }

    /// A store over a component's pool, with its share of the ring: what it may not do is refused by the database, or for
    /// want of a key.
    pub fn of_component(db: DatabaseConnection, keys: Arc<Share>) -> Self {
        Self { db, root: None, minimum_epoch: 0, keys: RwLock::new(Some(keys)), is_given: true }
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
        for _ in 1..ATTEMPTS {
            let phase = self.phase().await?;
            match self.insert_at(rows, phase).await {
                // Keys rolled between preparing and sealing.
                Err(StoreError::Ring(RingError::NoKey)) => {}
                Err(StoreError::Database(_)) if self.has_moved_on(phase).await? => {}
                done => return done.map_err(refused),
            }
        }
        let phase = self.phase().await?;
        self.insert_at(rows, phase).await.map_err(refused)
    }

    /// The credential with this access key.
    pub async fn find(&self, access: &str, reveal: bool) -> Result<Credential, StoreError> {
        self.find_one(&By::Access(access), reveal).await
    }

    /// The credential with this id.
    pub async fn find_by_id(&self, id: &str, reveal: bool) -> Result<Credential, StoreError> {
        self.find_one(&By::Id(id), reveal).await
    }

    /// Those of these ids that are there, secrets and all; `Err` for those that do not open.
    pub async fn find_many(&self, ids: &[String]) -> Result<Found, StoreError> {
        for _ in 1..ATTEMPTS {
            let phase = self.phase().await?;
            match self.find_many_at(ids, phase).await {
                Err(StoreError::Database(_)) if self.has_moved_on(phase).await? => {}
                done => return done,
            }
        }
        let phase = self.phase().await?;
        self.find_many_at(ids, phase).await
    }

    /// A user's credentials of a type, in order of id, access keys and all; `Err` for those that do not open.
    pub async fn find_of(&self, user_id: &str, kind: &str, reveal: bool) -> Result<FoundInOrder, StoreError> {
        for _ in 1..ATTEMPTS {
            let phase = self.phase().await?;
            match self.find_of_at(user_id, kind, reveal, phase).await {
                Err(StoreError::Database(_)) if self.has_moved_on(phase).await? => {}
                done => return done,
            }
        }
        let phase = self.phase().await?;
        self.find_of_at(user_id, kind, reveal, phase).await
    }

    /// A page of the list, at most `limit` rows. Opens nothing and needs no key.
    pub async fn list(&self, filter: &Filter, limit: u64) -> Result<Page, StoreError> {
        self.require_table().await?;
        let mut wanted = Condition::all();
        wanted = wanted.add_option(filter.user_id.as_ref().map(|user| Column::UserId.eq(user)));
        wanted = wanted.add_option(filter.project_id.as_ref().map(|project| Column::ProjectId.eq(project)));
        wanted = wanted.add_option(filter.after.as_ref().map(|after| Column::Id.gt(after)));
        let columns = [Column::Id, Column::UserId, Column::ProjectId, Column::Type, Column::CreatedAt];
        let select = Entity::find().select_only().columns(columns).filter(wanted).order_by_asc(Column::Id);
        let mut credentials: Vec<Listed> = select.limit(limit + 1).into_model().all(&self.db).await?;
        let more = credentials.len() as u64 > limit;
        credentials.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = credentials.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Page { credentials, next })
    }

    /// Removes the credential with this access key.
    pub async fn delete(&self, access: &str) -> Result<(), StoreError> {
        let id = self.find_one(&By::Access(access), false).await?.id;
        self.delete_by_id(&id).await
    }

    /// Removes the credential with this id; works for one that does not open.
    pub async fn delete_by_id(&self, id: &str) -> Result<(), StoreError> {
        self.require_table().await?;
        let gone = Entity::delete_by_id(id).exec(&self.db).await?;
        if gone.rows_affected == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    /// The phase of the table now, from a manifest at most [`LIFETIME`](crate::key::LIFETIME) old.
    pub async fn phase(&self) -> Result<Phase, StoreError> {
        match self.keys().await? {
            Some(keys) => phase_of(&keys),
            None => self.require_table().await.map(|()| Phase::Plain),
        }
    }

    async fn require_table(&self) -> Result<(), StoreError> {
        if has_table(&self.db, "credential").await? { Ok(()) } else { Err(StoreError::NoTable) }
    }

    /// The keys, fresh enough; `None` while the database has none.
    async fn keys(&self) -> Result<Option<Arc<Share>>, StoreError> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(keys) = known {
            match keys.refresh().await {
                Err(RingError::Database(_)) if self.has_lost_the_ring().await? => self.forget_keys(),
                refreshed => return refreshed.map(|()| Some(keys)).map_err(StoreError::from),
            }
        }
        if !has_table(&self.db, MANIFEST_TABLE).await? {
            return if self.minimum_epoch > 0 { Err(RingError::Missing.into()) } else { Ok(None) };
        }
        let root = self.root.clone().ok_or(StoreError::NoRoot)?;
        let ring = Arc::new(Ring::load(&self.db, root, self.minimum_epoch).await?);
        let keys = Arc::new(Share::whole(ring, self.db.clone()));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(Some(keys))
    }

    /// The database went down past the ring.
    async fn has_lost_the_ring(&self) -> Result<bool, StoreError> {
        Ok(!self.is_given && !has_table(&self.db, MANIFEST_TABLE).await?)
    }

    fn forget_keys(&self) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn find_one(&self, by: &By<'_>, reveal: bool) -> Result<Credential, StoreError> {
        for _ in 1..ATTEMPTS {
            let phase = self.phase().await?;
            match self.find_at(by, reveal, phase).await {
                Err(StoreError::Database(_)) if self.has_moved_on(phase).await? => {}
                done => return done,
            }
        }
        let phase = self.phase().await?;
        self.find_at(by, reveal, phase).await
    }

    async fn find_at(&self, by: &By<'_>, reveal: bool, phase: Phase) -> Result<Credential, StoreError> {
        if !phase.cells_count() {
            let wanted = match by {
                By::Id(id) => plain_credential::Column::Id.eq(*id),
                By::Access(access) => plain_credential::Column::AccessKey.eq(*access),
            };
            let found = plain_credential::Entity::find().filter(wanted).one(&self.db).await?;
            return found.map(|row| from_plain(row, reveal)).ok_or(StoreError::NotFound);
        }
        let keys = self.keys().await?.ok_or(StoreError::NoRoot)?;
        let wanted = match by {
            By::Id(id) => Column::Id.eq(*id),
            By::Access(access) => Column::AccessKeyIndex.eq(keys.index(AccessKey::LABEL, access.as_bytes())?.to_vec()),
        };
        let found = self.select(&keys, wanted.into(), reveal).await?;
        let found = found.into_iter().next().ok_or(StoreError::NotFound)?.1?;
        match by {
            By::Access(access) if found.access.as_ref().is_none_or(|found| found.as_str() != *access) => {
                Err(StoreError::Unopenable { id: found.id, reason: Unopened::IndexMismatch })
            }
            _ => Ok(found),
        }
    }

    async fn find_many_at(&self, ids: &[String], phase: Phase) -> Result<Found, StoreError> {
        if !phase.cells_count() {
            let by_id = plain_credential::Column::Id.is_in(ids);
            let rows = plain_credential::Entity::find().filter(by_id).all(&self.db).await?;
            return Ok(rows.into_iter().map(|row| (row.id.clone(), Ok(from_plain(row, true)))).collect());
        }
        let keys = self.keys().await?.ok_or(StoreError::NoRoot)?;
        Ok(self.select(&keys, Column::Id.is_in(ids).into(), true).await?.into_iter().collect())
    }

    async fn find_of_at(&self, user_id: &str, kind: &str, reveal: bool, phase: Phase) -> Result<FoundInOrder, StoreError> {
        use plain_credential::Column as Plain;

        if !phase.cells_count() {
            let rows = plain_credential::Entity::find().filter(Plain::UserId.eq(user_id)).filter(Plain::Type.eq(kind));
            let rows = rows.order_by_asc(Plain::Id).all(&self.db).await?;
            return Ok(rows.into_iter().map(|row| (row.id.clone(), Ok(from_plain(row, reveal)))).collect());
        }
        let keys = self.keys().await?.ok_or(StoreError::NoRoot)?;
        let wanted = Condition::all().add(Column::UserId.eq(user_id)).add(Column::Type.eq(kind));
        let mut found = self.select(&keys, wanted, reveal).await?;
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    /// Only what is asked for is read: a component that may not read the secret finds the rest.
    async fn select(&self, keys: &Share, wanted: Condition, reveal: bool) -> Result<FoundInOrder, StoreError> {
        let columns = Row::COLUMNS.into_iter().chain(reveal.then_some(Column::SecretKeySealed));
        let select = Entity::find().select_only().columns(columns).filter(wanted);
        let rows: Vec<Row> = if reveal {
            select.into_model().all(&self.db).await?
        } else {
            let rows: Vec<Unrevealed> = select.into_model().all(&self.db).await?;
            rows.into_iter().map(Row::from).collect()
        };
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push((row.id.clone(), self.opened(keys, &row, reveal).await));
        }
        Ok(found)
    }

    async fn insert_at(&self, rows: &[NewCredential], phase: Phase) -> Result<(), StoreError> {
        let keys = self.keys().await?;
        if let Some(keys) = keys.as_ref().filter(|_| phase != Phase::Plain) {
            keys.prepare(rows.iter().map(|row| scope_of(row.project_id.as_deref()))).await?;
        }
        self.db.execute(&row::insert(rows, phase, keys.as_deref())?).await?;
        Ok(())
    }

    /// After a statement that the database did not take: whether an upgrade has moved the table to
    /// another phase since, so that the statement is to be made anew.
    async fn has_moved_on(&self, phase: Phase) -> Result<bool, StoreError> {
        if self.has_lost_the_ring().await? {
            self.forget_keys();
        }
        if let Some(keys) = self.keys().await? {
            keys.refresh_now().await?;
        }
        Ok(self.phase().await? != phase)
    }

    /// Opens a row. A key that came after the ring was loaded is looked for first.
    async fn opened(&self, keys: &Share, row: &Row, reveal: bool) -> Result<Credential, StoreError> {
        keys.learn(row.cells()).await?;
        open(keys, row, reveal).map_err(|reason| {
            tracing::warn!(id = row.id, %reason, "a credential does not open");
            StoreError::Unopenable { id: row.id.clone(), reason }
        })
    }
}

/// Credentials by id; `Err` for those that do not open.
type Found = HashMap<String, Result<Credential, StoreError>>;

/// The same, one after the other.
type FoundInOrder = Vec<(String, Result<Credential, StoreError>)>;

/// How a credential is looked for.
enum By<'a> {
    Id(&'a str),
    Access(&'a str),
}

const MANIFEST_TABLE: &str = "strongroom_manifest";
/// An upgrade moves a table through several phases; a statement meets more than one at most rarely.
const ATTEMPTS: u32 = 4;

fn phase_of(keys: &Share) -> Result<Phase, StoreError> {
    keys.manifest().phase("credential").ok_or(StoreError::UnknownPhase)
}

fn open(keys: &Share, row: &Row, reveal: bool) -> Result<Credential, Unopened> {
    Ok(Credential {
        id: row.id.clone(),
        user_id: row.user_id.clone(),
        project_id: row.project_id.clone(),
        kind: row.r#type.clone(),
        access: text::<AccessKey>(keys, row)?,
        secret: if reveal { text::<SecretKey>(keys, row)? } else { None },
        extra: row.extra.clone(),
    })
}

fn text<L: Label>(keys: &Share, row: &impl Bound<L>) -> Result<Option<Zeroizing<String>>, Unopened> {
    let Some(opened) = keys.open::<L>(row)? else { return Ok(None) };
    let text = opened.as_text().ok_or(Unopened::NotText)?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

fn from_plain(row: plain_credential::Model, reveal: bool) -> Credential {
    Credential {
        id: row.id,
        user_id: row.user_id,
        project_id: row.project_id,
        kind: row.r#type,
        access: row.access_key.map(Zeroizing::new),
        secret: reveal.then(|| Zeroizing::new(row.secret_key)),
        extra: row.extra,
    }
}

/// The driver's own text may quote the row; ours does not.
fn refused(error: StoreError) -> StoreError {
    match error {
        StoreError::Database(error) if matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))) => {
            StoreError::Exists
        }
        StoreError::Database(error) if is_constraint_violation(&error) => StoreError::Refused,
        error => error,
    }
}
