//! Finding credentials and opening them, at every phase of an upgrade.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use strongroom_entity::credential::{AccessKey, Column, Entity, SecretKey};
use strongroom_entity::{Label as _, plain_credential};
use strongroom_migration::Phase;
use zeroize::Zeroizing;

use super::read::{Row, Unrevealed};
use super::store::at_phase;
use super::{Credential, Store, StoreError};
use crate::crypto::Opened;
use crate::key::{OpenFailure, ScopedKeys};

impl Store {
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
        at_phase!(self, phase => self.find_many_at(ids, phase))
    }

    /// A user's credentials of a type, in order of id, access keys and all; `Err` for those that do not open. A thousand at
    /// most: of more it is none.
    pub async fn find_of(
        &self,
        user_id: &str,
        kind: &str,
        reveal: bool,
    ) -> Result<FoundInOrder, StoreError> {
        at_phase!(self, phase => self.find_of_at(user_id, kind, reveal, phase))
    }

    async fn find_one(&self, by: &By<'_>, reveal: bool) -> Result<Credential, StoreError> {
        at_phase!(self, phase => self.find_at(by, reveal, phase))
    }

    async fn find_at(
        &self,
        by: &By<'_>,
        reveal: bool,
        phase: Phase,
    ) -> Result<Credential, StoreError> {
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
            By::Access(access) => {
                Column::AccessKeyIndex.eq(keys.index(AccessKey::LABEL, access.as_bytes())?.to_vec())
            }
        };
        let found = self.select(&keys, wanted.into(), reveal, None).await?;
        let found = found.into_iter().next().ok_or(StoreError::NotFound)?.1?;
        match by {
            By::Access(access)
                if found.access.as_ref().is_none_or(|found| found.as_str() != *access) =>
            {
                Err(StoreError::Unopenable { id: found.id, reason: OpenFailure::IndexMismatch })
            }
            _ => Ok(found),
        }
    }

    async fn find_many_at(&self, ids: &[String], phase: Phase) -> Result<Found, StoreError> {
        if !phase.cells_count() {
            let by_id = plain_credential::Column::Id.is_in(ids);
            let rows = plain_credential::Entity::find().filter(by_id).all(&self.db).await?;
            return Ok(rows
                .into_iter()
                .map(|row| (row.id.clone(), Ok(from_plain(row, true))))
                .collect());
        }
        let keys = self.keys().await?.ok_or(StoreError::NoRoot)?;
        Ok(self
            .select(&keys, Column::Id.is_in(ids).into(), true, None)
            .await?
            .into_iter()
            .collect())
    }

    async fn find_of_at(
        &self,
        user_id: &str,
        kind: &str,
        reveal: bool,
        phase: Phase,
    ) -> Result<FoundInOrder, StoreError> {
        use plain_credential::Column as Plain;

        if !phase.cells_count() {
            let rows = plain_credential::Entity::find()
                .filter(Plain::UserId.eq(user_id))
                .filter(Plain::Type.eq(kind));
            let rows = rows.order_by_asc(Plain::Id).limit(MOST + 1).all(&self.db).await?;
            require_few(rows.len())?;
            return Ok(rows
                .into_iter()
                .map(|row| (row.id.clone(), Ok(from_plain(row, reveal))))
                .collect());
        }
        let keys = self.keys().await?.ok_or(StoreError::NoRoot)?;
        let wanted = Condition::all().add(Column::UserId.eq(user_id)).add(Column::Type.eq(kind));
        let mut found = self.select(&keys, wanted, reveal, Some(MOST + 1)).await?;
        require_few(found.len())?;
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    /// Only what is asked for is read: a component that may not read the secret finds the rest.
    async fn select(
        &self,
        keys: &ScopedKeys,
        wanted: Condition,
        reveal: bool,
        most: Option<u64>,
    ) -> Result<FoundInOrder, StoreError> {
        let columns = Row::COLUMNS.into_iter().chain(reveal.then_some(Column::SecretKeySealed));
        let select = Entity::find().select_only().columns(columns).filter(wanted).limit(most);
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

    /// Opens a row. A key that came after the ring was loaded is looked for first.
    async fn opened(
        &self,
        keys: &ScopedKeys,
        row: &Row,
        reveal: bool,
    ) -> Result<Credential, StoreError> {
        keys.learn(row.cells()).await?;
        open(keys, row, reveal).map_err(|reason| {
            tracing::warn!(id = row.id, %reason, "a credential does not open");
            StoreError::Unopenable { id: row.id.clone(), reason }
        })
    }
}

/// What is opened in one piece; a secret may have as many as 64 kB.
const MOST: u64 = 1000;

fn require_few(rows: usize) -> Result<(), StoreError> {
    if rows as u64 > MOST { Err(StoreError::TooMany(MOST)) } else { Ok(()) }
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

fn open(keys: &ScopedKeys, row: &Row, reveal: bool) -> Result<Credential, OpenFailure> {
    Ok(Credential {
        id: row.id.clone(),
        user_id: row.user_id.clone(),
        project_id: row.project_id.clone(),
        kind: row.r#type.clone(),
        access: keys.open::<AccessKey, _>(row)?.as_ref().map(text).transpose()?,
        secret: if reveal {
            keys.open::<SecretKey, _>(row)?.as_ref().map(text).transpose()?
        } else {
            None
        },
        extra: row.extra.clone(),
    })
}

fn text(opened: &Opened) -> Result<Zeroizing<String>, OpenFailure> {
    opened.as_text().map(|text| Zeroizing::new(text.to_owned())).ok_or(OpenFailure::NotText)
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
