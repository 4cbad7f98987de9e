//! The repository. Programs go through it at every phase of an upgrade.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseConnection, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use strongroom_entity::credential::{AccessKey, Column, Entity, Model, SecretKey};
use strongroom_entity::{Bound, Label, plain_credential};
use strongroom_migration::Phase;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::row;
use super::{Credential, Listed, NewCredential, Page, StoreError};
use crate::crypto::RootKey;
use crate::db::{has_table, is_constraint_violation};
use crate::key::{Ring, Unopened, has_ring, scope_of};

/// The credentials of a database.
pub struct Store {
    db: DatabaseConnection,
    root: Option<Arc<RootKey>>,
    minimum_epoch: i64,
    ring: OnceCell<Arc<Ring>>,
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
    pub fn new(db: DatabaseConnection, root: Option<Arc<RootKey>>, minimum_epoch: i64) -> Self {
        Self { db, root, minimum_epoch, ring: OnceCell::new() }
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
        let phase = self.phase().await?;
        match self.insert_at(rows, phase).await {
            Err(StoreError::Database(error)) => self.insert_after_phase_change(rows, phase, error).await,
            done => done,
        }
    }

    /// The credential with this access key.
    pub async fn find(&self, access: &str, reveal: bool) -> Result<Credential, StoreError> {
        if !self.phase().await?.cells_count() {
            let by_access = plain_credential::Column::AccessKey.eq(access);
            let found = plain_credential::Entity::find().filter(by_access).one(&self.db).await?;
            return found.map(|row| from_plain(row, reveal)).ok_or(StoreError::NotFound);
        }
        let ring = self.ring().await?.ok_or(StoreError::NoRoot)?;
        let index = ring.index(AccessKey::LABEL, access.as_bytes()).to_vec();
        let row = Entity::find().filter(Column::AccessKeyIndex.eq(index)).one(&self.db).await?;
        let found = self.opened(&ring, &row.ok_or(StoreError::NotFound)?, reveal).await?;
        let is_it = found.access.as_ref().is_some_and(|found| found.as_str() == access);
        if is_it { Ok(found) } else { Err(StoreError::Unopenable { id: found.id }) }
    }

    /// The credential with this id.
    pub async fn find_by_id(&self, id: &str, reveal: bool) -> Result<Credential, StoreError> {
        if !self.phase().await?.cells_count() {
            let found = plain_credential::Entity::find_by_id(id).one(&self.db).await?;
            return found.map(|row| from_plain(row, reveal)).ok_or(StoreError::NotFound);
        }
        let ring = self.ring().await?.ok_or(StoreError::NoRoot)?;
        let row = Entity::find_by_id(id).one(&self.db).await?.ok_or(StoreError::NotFound)?;
        self.opened(&ring, &row, reveal).await
    }

    /// Those of these ids that are there, secrets and all; `Err` for those that do not open.
    pub async fn find_many(&self, ids: &[String]) -> Result<HashMap<String, Result<Credential, StoreError>>, StoreError> {
        if !self.phase().await?.cells_count() {
            let by_id = plain_credential::Column::Id.is_in(ids);
            let rows = plain_credential::Entity::find().filter(by_id).all(&self.db).await?;
            return Ok(rows.into_iter().map(|row| (row.id.clone(), Ok(from_plain(row, true)))).collect());
        }
        let ring = self.ring().await?.ok_or(StoreError::NoRoot)?;
        let mut found = HashMap::new();
        for row in Entity::find().filter(Column::Id.is_in(ids)).all(&self.db).await? {
            found.insert(row.id.clone(), self.opened(&ring, &row, true).await);
        }
        Ok(found)
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
        if !self.phase().await?.cells_count() {
            let id = self.find(access, false).await?.id;
            return self.delete_by_id(&id).await;
        }
        let ring = self.ring().await?.ok_or(StoreError::NoRoot)?;
        let index = ring.index(AccessKey::LABEL, access.as_bytes()).to_vec();
        let gone = Entity::delete_many().filter(Column::AccessKeyIndex.eq(index)).exec(&self.db).await?;
        if gone.rows_affected == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    /// Removes the credential with this id; works for one that does not open.
    pub async fn delete_by_id(&self, id: &str) -> Result<(), StoreError> {
        self.require_table().await?;
        let gone = Entity::delete_by_id(id).exec(&self.db).await?;
        if gone.rows_affected == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    /// The phase of the table now, from a manifest at most [`LIFETIME`](crate::key::LIFETIME) old.
    pub async fn phase(&self) -> Result<Phase, StoreError> {
        match self.ring().await? {
            Some(ring) => phase_of(&ring),
            None => self.require_table().await.map(|()| Phase::Plain),
        }
    }

    async fn require_table(&self) -> Result<(), StoreError> {
        if has_table(&self.db, "credential").await? { Ok(()) } else { Err(StoreError::NoTable) }
    }

    /// The ring, fresh enough; `None` while the database has none.
    async fn ring(&self) -> Result<Option<Arc<Ring>>, StoreError> {
        if let Some(ring) = self.ring.get() {
            ring.refresh(&self.db).await?;
            return Ok(Some(ring.clone()));
        }
        if !has_table(&self.db, "strongroom_manifest").await? || !has_ring(&self.db).await? {
            return if self.minimum_epoch > 0 { Err(crate::key::RingError::Missing.into()) } else { Ok(None) };
        }
        let root = self.root.clone().ok_or(StoreError::NoRoot)?;
        let load = || async { Ok::<_, StoreError>(Arc::new(Ring::load(&self.db, root, self.minimum_epoch).await?)) };
        Ok(Some(self.ring.get_or_try_init(load).await?.clone()))
    }

    async fn insert_at(&self, rows: &[NewCredential], phase: Phase) -> Result<(), StoreError> {
        let ring = self.ring().await?;
        if let Some(ring) = ring.as_ref().filter(|_| phase != Phase::Plain) {
            ring.prepare(&self.db, rows.iter().map(|row| scope_of(row.project_id.as_deref()))).await?;
        }
        self.db.execute(&row::insert(rows, phase, ring.as_deref())?).await?;
        Ok(())
    }

    /// An upgrade may have moved on since the manifest was read: then the row is written anew, the way
    /// the table wants it now.
    async fn insert_after_phase_change(&self, rows: &[NewCredential], phase: Phase, error: DbErr) -> Result<(), StoreError> {
        if let Some(ring) = self.ring().await? {
            ring.reload(&self.db).await?;
            let now = phase_of(&ring)?;
            if now != phase {
                return self.insert_at(rows, now).await.map_err(refused);
            }
        }
        Err(refused(StoreError::Database(error)))
    }

    /// Opens a row. A key that came after the ring was read is looked for once.
    async fn opened(&self, ring: &Ring, row: &Model, reveal: bool) -> Result<Credential, StoreError> {
        let mut opened = open(ring, row, reveal);
        if matches!(opened, Err(Unopened::UnknownKey)) {
            ring.refresh(&self.db).await?;
            opened = open(ring, row, reveal);
        }
        opened.map_err(|reason| {
            tracing::warn!(id = row.id, %reason, "a credential does not open");
            StoreError::Unopenable { id: row.id.clone() }
        })
    }
}

fn phase_of(ring: &Ring) -> Result<Phase, StoreError> {
    ring.manifest().phase("credential").ok_or(StoreError::UnknownPhase)
}

fn open(ring: &Ring, row: &Model, reveal: bool) -> Result<Credential, Unopened> {
    Ok(Credential {
        id: row.id.clone(),
        user_id: row.user_id.clone(),
        project_id: row.project_id.clone(),
        kind: row.r#type.clone(),
        access: text::<AccessKey>(ring, row)?,
        secret: if reveal { text::<SecretKey>(ring, row)? } else { None },
        extra: row.extra.clone(),
    })
}

fn text<L: Label>(ring: &Ring, row: &impl Bound<L>) -> Result<Option<Zeroizing<String>>, Unopened> {
    let Some(opened) = ring.open::<L>(row)? else { return Ok(None) };
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
        StoreError::Database(error) if matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))) => StoreError::Exists,
        StoreError::Database(error) if is_constraint_violation(&error) => StoreError::Refused,
        error => error,
    }
}
