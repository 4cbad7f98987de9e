//! The ring's wrapped keys, as rows.

use std::collections::BTreeSet;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use strongroom_entity::key;

use super::RingError;
use crate::crypto::{DataKey, IndexKey, ManifestKey, OpenError, Purpose, RingId, RootKey, WrappedKeyLabel, unwrap_key, wrap_key};

/// The scope of keys that serve the whole ring.
const WHOLE_RING: &str = "-";
const MANIFEST_KEY_ID: u32 = 1;
const INDEX_KEY_ID: u32 = 2;

/// Makes the manifest key and the index key of a new ring.
pub(super) async fn make_first_keys(db: &impl ConnectionTrait, root: &RootKey, ring: &RingId) -> Result<ManifestKey, RingError> {
    let manifest_key = ManifestKey::make()?;
    let of_ring = |id, purpose| WrappedKeyLabel { ring, id, purpose, scope: WHOLE_RING, generation: 1 };
    let (manifest, index) = (of_ring(MANIFEST_KEY_ID, Purpose::Manifest), of_ring(INDEX_KEY_ID, Purpose::Index));
    let wrapped_index = wrap_key(root, &index, &IndexKey::make()?)?;
    insert_keys(db, vec![row(&manifest, wrap_key(root, &manifest, &manifest_key)?), row(&index, wrapped_index)]).await?;
    Ok(manifest_key)
}

/// The key that authenticates the manifest.
pub(super) async fn manifest_key(db: &impl ConnectionTrait, root: &RootKey, ring: &RingId) -> Result<ManifestKey, RingError> {
    one_key(db, root, ring, MANIFEST_KEY_ID, Purpose::Manifest).await
}

/// Which data keys to read.
pub(super) enum Wanted {
    All,
    Ids(BTreeSet<u32>),
    Scopes(u32, Vec<String>),
}

/// Data keys, those that do not unwrap left out: their cells cannot be opened, and everything else
/// must go on.
pub(super) async fn data_keys(
    db: &impl ConnectionTrait,
    root: &RootKey,
    ring: &RingId,
    wanted: Wanted,
) -> Result<Vec<(key::Model, DataKey)>, RingError> {
    let found = key::Entity::find().filter(key::Column::Purpose.eq(Purpose::Data.as_str()));
    let found = match wanted {
        Wanted::All => found,
        Wanted::Ids(ids) => found.filter(key::Column::Id.is_in(ids.into_iter().map(i64::from))),
        Wanted::Scopes(generation, scopes) => {
            found.filter(key::Column::Generation.eq(generation)).filter(key::Column::Scope.is_in(scopes))
        }
    };
    let rows = found.all(db).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        match unwrap::<DataKey>(root, ring, &row, Purpose::Data) {
            Ok(key) => keys.push((row, key)),
            Err(error) => tracing::warn!(%error, "cells under this key cannot be opened"),
        }
    }
    Ok(keys)
}

/// The ring's index key.
pub(super) async fn index_key(db: &impl ConnectionTrait, root: &RootKey, ring: &RingId) -> Result<IndexKey, RingError> {
    one_key(db, root, ring, INDEX_KEY_ID, Purpose::Index).await
}

/// Makes data keys for scopes that have none, and says whether there was anything to make. Where
/// another program was quicker, its key stays, and the caller reads again.
pub(super) async fn make_data_keys(
    db: &impl ConnectionTrait,
    root: &RootKey,
    ring: &RingId,
    generation: u32,
    scopes: &[&str],
) -> Result<bool, RingError> {
    let there = key::Entity::find()
        .select_only()
        .column(key::Column::Scope)
        .filter(key::Column::Purpose.eq(Purpose::Data.as_str()))
        .filter(key::Column::Generation.eq(generation))
        .filter(key::Column::Scope.is_in(scopes.iter().copied()));
    let there: Vec<String> = there.into_tuple().all(db).await?;
    let absent: Vec<&&str> = scopes.iter().filter(|scope| !there.iter().any(|known| known == *scope)).collect();
    let newest: Option<i64> =
        key::Entity::find().select_only().column_as(key::Column::Id.max(), "newest").into_tuple().one(db).await?.flatten();
    let newest = u32::try_from(newest.unwrap_or(0)).map_err(|_| RingError::NoKey)?;
    let mut rows = Vec::with_capacity(absent.len());
    for (id, scope) in (newest.saturating_add(1)..).zip(&absent) {
        let label = WrappedKeyLabel { ring, id, purpose: Purpose::Data, scope, generation };
        rows.push(row(&label, wrap_key(root, &label, &DataKey::make()?)?));
    }
    insert_keys(db, rows).await?;
    Ok(!absent.is_empty())
}

/// Rows in one statement stay far below every engine's limit of parameters.
const KEYS_A_STATEMENT: usize = 1000;

async fn insert_keys(db: &impl ConnectionTrait, rows: Vec<key::ActiveModel>) -> Result<(), RingError> {
    for chunk in rows.chunks(KEYS_A_STATEMENT) {
        let insert = key::Entity::insert_many(chunk.iter().cloned());
        insert.on_conflict(OnConflict::new().do_nothing_on([key::Column::Id]).to_owned()).exec_without_returning(db).await?;
    }
    Ok(())
}

fn row(label: &WrappedKeyLabel<'_>, wrapped: Vec<u8>) -> key::ActiveModel {
    key::ActiveModel {
        id: Set(label.id.into()),
        purpose: Set(label.purpose.as_str().to_owned()),
        scope: Set(label.scope.to_owned()),
        generation: Set(i32::try_from(label.generation).unwrap_or(i32::MAX)),
        wrapped: Set(wrapped),
    }
}

async fn one_key<K: Unwrap>(
    db: &impl ConnectionTrait,
    root: &RootKey,
    ring: &RingId,
    id: u32,
    purpose: Purpose,
) -> Result<K, RingError> {
    let row = key::Entity::find_by_id(id).one(db).await?.ok_or(RingError::Missing)?;
    unwrap(root, ring, &row, purpose)
}

fn unwrap<K: Unwrap>(root: &RootKey, ring: &RingId, row: &key::Model, purpose: Purpose) -> Result<K, RingError> {
    let damaged = |reason| RingError::Damaged { id: row.id, purpose: purpose.as_str(), reason };
    let (Ok(id), Ok(generation)) = (u32::try_from(row.id), u32::try_from(row.generation)) else {
        return Err(damaged(OpenError::Corrupt));
    };
    let label = WrappedKeyLabel { ring, id, purpose, scope: &row.scope, generation };
    K::unwrap(root, &label, &row.wrapped).map_err(damaged)
}

/// The kinds of key that live in the ring.
trait Unwrap: Sized {
    fn unwrap(root: &RootKey, label: &WrappedKeyLabel<'_>, wrapped: &[u8]) -> Result<Self, OpenError>;
}

macro_rules! unwraps {
    ($($key:ty),*) => {$(impl Unwrap for $key {
        fn unwrap(root: &RootKey, label: &WrappedKeyLabel<'_>, wrapped: &[u8]) -> Result<Self, OpenError> {
            unwrap_key(root, label, wrapped)
        }
    })*};
}
unwraps!(DataKey, IndexKey, ManifestKey);
