//! Reading and writing the ring's rows.

use std::collections::BTreeSet;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::Expr,
};
use strongroom_entity::{key, manifest};

use super::{Manifest, ManifestError, SourceError};
use crate::crypto::{
    DataKey, IndexKey, ManifestKey, NoRandomness, OpenError, Purpose, RingId, RootKey, SealError, WrappedKeyLabel, make_bytes,
    manifest_mac, unwrap_key, verify_manifest_mac, wrap_key,
};

/// The scope of keys that serve the whole ring.
pub(super) const WHOLE_RING: &str = "-";
const MANIFEST_KEY_ID: u32 = 1;
const INDEX_KEY_ID: u32 = 2;

/// Why a ring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// No manifest where one must be.
    #[error("the database has no key ring")]
    Missing,
    /// The root is another one than the ring's.
    #[error("wrong key: the ring was made under root {wanted}, and the key source yields root {given}")]
    WrongRoot {
        /// The root that the ring names.
        wanted: String,
        /// The root that was given.
        given: String,
    },
    /// The manifest was not written by a holder of the root.
    #[error("the manifest does not verify: it was changed by something that does not hold the root key")]
    Forged,
    /// The manifest is older than one that was seen, or than the configuration allows.
    #[error("the manifest is at epoch {found}, older than epoch {minimum}: an old copy was put back")]
    Stale {
        /// The epoch in the database.
        found: i64,
        /// The least that is accepted.
        minimum: i64,
    },
    /// The manifest speaks of things that this program does not know.
    #[error("the manifest was written by a newer program: {0}")]
    Newer(String),
    /// Another program changed the manifest at the same moment.
    #[error("the manifest was changed by another program at the same moment")]
    Raced,
    /// A key of the ring does not unwrap.
    #[error("key {id} ({purpose}) of the ring does not unwrap: {reason}")]
    Damaged {
        /// The key.
        id: i64,
        /// What it is for.
        purpose: &'static str,
        /// Why.
        reason: OpenError,
    },
    /// A value was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A key was not prepared for its scope.
    #[error("there is no data key for this row's scope yet")]
    NoKey,
    /// See [`ManifestError`].
    #[error(transparent)]
    Roll(#[from] ManifestError),
    /// See [`SourceError`].
    #[error(transparent)]
    Source(#[from] SourceError),
    /// See [`NoRandomness`].
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// See [`DbErr`].
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Whether the manifest's row is there. Says nothing of its authenticity.
async fn has_manifest(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(manifest::Entity::find_by_id(1_i16).one(db).await?.is_some())
}

/// Makes the ring's first rows. Does nothing where a ring is.
pub(super) async fn make(db: &impl ConnectionTrait, root: &RootKey) -> Result<(), RingError> {
    if has_manifest(db).await? {
        return Ok(());
    }
    let ring: RingId = make_bytes()?;
    let manifest_key = ManifestKey::make()?;
    let of_ring = |id, purpose| WrappedKeyLabel { ring: &ring, id, purpose, scope: WHOLE_RING, generation: 1 };
    let manifest_label = of_ring(MANIFEST_KEY_ID, Purpose::Manifest);
    let index_label = of_ring(INDEX_KEY_ID, Purpose::Index);
    insert_keys(
        db,
        vec![
            row(&manifest_label, wrap_key(root, &manifest_label, &manifest_key)?),
            row(&index_label, wrap_key(root, &index_label, &IndexKey::make()?)?),
        ],
    )
    .await?;
    let first = Manifest::new(hex::encode(root.id()));
    let (body, mac) = authenticate(&manifest_key, &ring, &first)?;
    let row = manifest::ActiveModel {
        id: Set(1),
        ring_id: Set(ring.to_vec()),
        epoch: Set(first.epoch),
        body: Set(body),
        mac: Set(mac),
    };
    manifest::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// What authenticating the manifest yields.
pub(super) struct Verified {
    pub(super) ring: RingId,
    pub(super) key: ManifestKey,
    pub(super) manifest: Manifest,
}

/// Reads the manifest, and refuses one that is not the root's, not authentic, or too old.
pub(super) async fn read_manifest(db: &impl ConnectionTrait, root: &RootKey, minimum_epoch: i64) -> Result<Verified, RingError> {
    let row = manifest::Entity::find_by_id(1_i16).one(db).await?.ok_or(RingError::Missing)?;
    let ring: RingId = row.ring_id.as_slice().try_into().map_err(|_| RingError::Forged)?;
    refuse_other_root(&row.body, root)?;
    let key = manifest_key(db, root, &ring).await?;
    if !verify_manifest_mac(&key, &ring, row.body.as_bytes(), &row.mac) {
        return Err(RingError::Forged);
    }
    let manifest: Manifest = serde_json::from_str(&row.body).map_err(|error| RingError::Newer(error.to_string()))?;
    if manifest.epoch != row.epoch {
        return Err(RingError::Forged);
    }
    if manifest.epoch < minimum_epoch {
        return Err(RingError::Stale { found: manifest.epoch, minimum: minimum_epoch });
    }
    Ok(Verified { ring, key, manifest })
}

/// Writes the next manifest, unless somebody else has written one since `before` was read.
pub(super) async fn write_manifest(db: &impl ConnectionTrait, before: &Verified, mut next: Manifest) -> Result<(), RingError> {
    next.epoch = before.manifest.epoch + 1;
    let (body, mac) = authenticate(&before.key, &before.ring, &next)?;
    let done = manifest::Entity::update_many()
        .col_expr(manifest::Column::Epoch, Expr::value(next.epoch))
        .col_expr(manifest::Column::Body, Expr::value(body))
        .col_expr(manifest::Column::Mac, Expr::value(mac))
        .filter(manifest::Column::Id.eq(1))
        .filter(manifest::Column::Epoch.eq(before.manifest.epoch))
        .exec(db)
        .await?;
    if done.rows_affected == 1 { Ok(()) } else { Err(RingError::Raced) }
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
        insert.on_conflict(OnConflict::new().do_nothing().to_owned()).exec_without_returning(db).await?;
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

fn authenticate(key: &ManifestKey, ring: &RingId, manifest: &Manifest) -> Result<(String, Vec<u8>), RingError> {
    let body = serde_json::to_string(manifest).map_err(|error| RingError::Newer(error.to_string()))?;
    let mac = manifest_mac(key, ring, body.as_bytes()).to_vec();
    Ok((body, mac))
}

async fn manifest_key(db: &impl ConnectionTrait, root: &RootKey, ring: &RingId) -> Result<ManifestKey, RingError> {
    one_key(db, root, ring, MANIFEST_KEY_ID, Purpose::Manifest).await
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

/// The manifest names the root before it can be authenticated; a lie here refuses, and opens nothing.
fn refuse_other_root(body: &str, root: &RootKey) -> Result<(), RingError> {
    let given = hex::encode(root.id());
    let body: serde_json::Value = serde_json::from_str(body).map_err(|_| RingError::Forged)?;
    match body.get("root_id").and_then(serde_json::Value::as_str) {
        Some(wanted) if wanted == given => Ok(()),
        Some(wanted) => Err(RingError::WrongRoot { wanted: wanted.chars().take(32).collect(), given }),
        None => Err(RingError::Forged),
    }
}
