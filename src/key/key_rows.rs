//! The ring's wrapped keys, as rows.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QuerySelect as _, SqlErr, Statement, Value,
};
use strongroom_entity::key;

use super::RingError;
use crate::crypto::{
    DataKey, IndexKey, KeyId, ManifestKey, OpenError, Purpose, RingId, RootKey, WrappedKeyLabel,
    make_bytes, unwrap_key, wrap_key,
};
use crate::db::Dialect;
use crate::key::Generation;

/// The scope of keys that serve the whole ring.
const WHOLE_RING: &str = "-";
const MANIFEST_KEY_ID: KeyId = KeyId::new(1);
const INDEX_KEY_ID: KeyId = KeyId::new(2);

/// Makes the manifest key and the index key of a new ring.
pub(super) async fn make_first_keys(
    db: &impl ConnectionTrait,
    root: &RootKey,
    ring: &RingId,
) -> Result<ManifestKey, RingError> {
    let manifest_key = ManifestKey::make()?;
    let of_ring =
        |id, purpose| WrappedKeyLabel { ring, id, purpose, scope: WHOLE_RING, generation: 1 };
    let (manifest, index) =
        (of_ring(MANIFEST_KEY_ID, Purpose::Manifest), of_ring(INDEX_KEY_ID, Purpose::Index));
    let wrapped_index = wrap_key(root, &index, &IndexKey::make()?)?;
    insert_keys(
        db,
        vec![row(&manifest, wrap_key(root, &manifest, &manifest_key)?), row(&index, wrapped_index)],
    )
    .await?;
    Ok(manifest_key)
}

/// The key that authenticates the manifest.
pub(super) async fn manifest_key(
    db: &impl ConnectionTrait,
    root: &RootKey,
    ring: &RingId,
) -> Result<ManifestKey, RingError> {
    one_key(db, root, ring, MANIFEST_KEY_ID, Purpose::Manifest).await
}

/// Which data keys to read.
pub(super) enum Wanted {
    All,
    None,
    Ids(BTreeSet<KeyId>),
    Scopes(Generation, Vec<String>),
}

/// Empties the wrapped data keys of a generation; how many. A key without its bytes is gone for good.
pub(super) async fn wipe(
    db: &impl ConnectionTrait,
    generation: Generation,
) -> Result<u64, RingError> {
    let wiped = key::Entity::update_many()
        .col_expr(key::Column::Wrapped, Expr::value(Vec::<u8>::new()))
        .filter(key::Column::Purpose.eq(Purpose::Data.as_str()))
        .filter(key::Column::Generation.eq(generation.number()))
        .filter(key::Column::Wrapped.ne(Vec::<u8>::new()));
    Ok(wiped.exec(db).await?.rows_affected)
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
        Wanted::None => return Ok(Vec::new()),
        Wanted::Ids(ids) => found.filter(key::Column::Id.is_in(ids.into_iter().map(i64::from))),
        Wanted::Scopes(generation, scopes) => found
            .filter(key::Column::Generation.eq(generation.number()))
            .filter(key::Column::Scope.is_in(scopes)),
    };
    let rows = found.filter(key::Column::Wrapped.ne(Vec::<u8>::new())).all(db).await?;
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
pub(super) async fn index_key(
    db: &impl ConnectionTrait,
    root: &RootKey,
    ring: &RingId,
) -> Result<IndexKey, RingError> {
    one_key(db, root, ring, INDEX_KEY_ID, Purpose::Index).await
}

/// Makes data keys for scopes that have none, and says whether there was anything to make. Where
/// another program was quicker, its key stays, and the caller reads again.
pub(super) async fn make_data_keys(
    db: &impl ConnectionTrait,
    root: &RootKey,
    ring: &RingId,
    generation: Generation,
    scopes: &[&str],
) -> Result<bool, RingError> {
    let there = key::Entity::find()
        .select_only()
        .column(key::Column::Scope)
        .filter(key::Column::Purpose.eq(Purpose::Data.as_str()))
        .filter(key::Column::Generation.eq(generation.number()))
        .filter(key::Column::Scope.is_in(scopes.iter().copied()));
    let there: Vec<String> = there.into_tuple().all(db).await?;
    let absent: Vec<&&str> =
        scopes.iter().filter(|scope| !there.iter().any(|known| known == *scope)).collect();
    let mut rows = Vec::with_capacity(absent.len());
    for (id, scope) in make_ids(absent.len())?.into_iter().zip(&absent) {
        let label = WrappedKeyLabel {
            ring,
            id,
            purpose: Purpose::Data,
            scope,
            generation: generation.number(),
        };
        rows.push(row(&label, wrap_key(root, &label, &DataKey::make()?)?));
    }
    insert_while_root_is(db, root, rows).await?;
    Ok(!absent.is_empty())
}

/// Makes ids at random: programs that make keys at the same moment do not meet, and a database that lost its last commits
/// does not give an id again. The primary key refuses an id that is taken.
fn make_ids(count: usize) -> Result<BTreeSet<KeyId>, RingError> {
    let mut ids = BTreeSet::new();
    while ids.len() < count {
        let id = KeyId::from_be_bytes(make_bytes()?);
        if id > INDEX_KEY_ID {
            ids.insert(id);
        }
    }
    Ok(ids)
}

/// Returns every row, whatever it holds.
pub(super) async fn all_rows(db: &impl ConnectionTrait) -> Result<Vec<key::Model>, RingError> {
    use sea_orm::QueryOrder as _;
    Ok(key::Entity::find().order_by_asc(key::Column::Id).all(db).await?)
}

/// Returns one row, whatever it holds.
pub(super) async fn one_row(
    db: &impl ConnectionTrait,
    id: i64,
) -> Result<Option<key::Model>, RingError> {
    Ok(key::Entity::find_by_id(id).one(db).await?)
}

/// Removes one row; whether it was there.
pub(super) async fn remove(db: &impl ConnectionTrait, id: i64) -> Result<bool, RingError> {
    Ok(key::Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

/// Returns why a row is no key of this ring, `None` if it is one.
pub(super) fn refusal(root: &RootKey, ring: &RingId, row: &key::Model) -> Option<String> {
    let unwrapped = match Purpose::parse(&row.purpose) {
        Some(Purpose::Data) => unwrap::<DataKey>(root, ring, row, Purpose::Data).map(drop),
        Some(Purpose::Index) => unwrap::<IndexKey>(root, ring, row, Purpose::Index).map(drop),
        Some(Purpose::Manifest) => {
            unwrap::<ManifestKey>(root, ring, row, Purpose::Manifest).map(drop)
        }
        Some(Purpose::Login) | None => return Some("unknown purpose".to_owned()),
    };
    match unwrapped {
        Ok(()) => None,
        Err(RingError::Damaged { reason, .. }) => Some(reason.to_string()),
        Err(other) => Some(other.to_string()),
    }
}

/// Keys in one statement: they fit into the smallest packet that is accepted, 64 KiB.
pub(super) const KEYS_A_STATEMENT: usize = 100;

/// Keys wrapped under a root are added only while the manifest names that root: added after a rewrap, they
/// would be lost to everybody else.
async fn insert_while_root_is(
    db: &impl ConnectionTrait,
    root: &RootKey,
    rows: Vec<key::Model>,
) -> Result<(), RingError> {
    let dialect = Dialect::of(db);
    let unless_there = dialect.unless_there();
    for chunk in rows.chunks(KEYS_A_STATEMENT) {
        let part = |n: usize| {
            let place = |k: usize| dialect.parameter(n * 5 + k);
            let [id, purpose, scope, generation, wrapped] = [1, 2, 3, 4, 5].map(place);
            let wrapped = dialect.bytes_parameter(&wrapped);
            format!(
                "SELECT {id} AS id, {purpose} AS purpose, {scope} AS scope, {generation} AS generation, {wrapped} AS wrapped"
            )
        };
        let sql = format!(
            "INSERT INTO strongroom_key (id, purpose, scope, generation, wrapped) \
             SELECT v.id, v.purpose, v.scope, v.generation, v.wrapped FROM ({}) v CROSS JOIN strongroom_manifest \
             WHERE strongroom_manifest.body LIKE '%\"root_id\":\"{}\"%' {unless_there}",
            (0..chunk.len()).map(part).collect::<Vec<_>>().join(" UNION ALL "),
            hex::encode(root.id()),
        );
        let values = chunk.iter().flat_map(|key| -> [Value; 5] {
            [
                key.id.into(),
                key.purpose.as_str().into(),
                key.scope.as_str().into(),
                key.generation.into(),
                key.wrapped.clone().into(),
            ]
        });
        match db.execute_raw(Statement::from_sql_and_values(dialect.backend(), sql, values)).await {
            // Another program was quicker with one of them: the caller looks again, and makes what is left.
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            }
            done => done.map(|_| ())?,
        }
    }
    Ok(())
}

async fn insert_keys(db: &impl ConnectionTrait, rows: Vec<key::Model>) -> Result<(), RingError> {
    for chunk in rows.chunks(KEYS_A_STATEMENT) {
        let insert = key::Entity::insert_many(
            chunk.iter().cloned().map(|key| key.into_active_model().reset_all()),
        );
        insert
            .on_conflict(OnConflict::new().do_nothing_on([key::Column::Id]).to_owned())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

fn row(label: &WrappedKeyLabel<'_>, wrapped: Vec<u8>) -> key::Model {
    key::Model {
        id: label.id.into(),
        purpose: label.purpose.as_str().to_owned(),
        scope: label.scope.to_owned(),
        generation: i32::try_from(label.generation).unwrap_or(i32::MAX),
        wrapped,
    }
}

async fn one_key<K: Unwrap>(
    db: &impl ConnectionTrait,
    root: &RootKey,
    ring: &RingId,
    id: KeyId,
    purpose: Purpose,
) -> Result<K, RingError> {
    let row = key::Entity::find_by_id(i64::from(id)).one(db).await?.ok_or(RingError::Missing)?;
    unwrap(root, ring, &row, purpose)
}

fn unwrap<K: Unwrap>(
    root: &RootKey,
    ring: &RingId,
    row: &key::Model,
    purpose: Purpose,
) -> Result<K, RingError> {
    let damaged = |reason| RingError::Damaged { id: row.id, purpose: purpose.as_str(), reason };
    let (Ok(id), Ok(generation)) = (KeyId::try_from(row.id), u32::try_from(row.generation)) else {
        return Err(damaged(OpenError::Corrupt));
    };
    let label = WrappedKeyLabel { ring, id, purpose, scope: &row.scope, generation };
    K::unwrap(root, &label, &row.wrapped).map_err(damaged)
}

/// The kinds of key that live in the ring.
trait Unwrap: Sized {
    fn unwrap(
        root: &RootKey,
        label: &WrappedKeyLabel<'_>,
        wrapped: &[u8],
    ) -> Result<Self, OpenError>;
}

macro_rules! unwraps {
    ($($key:ty),*) => {$(impl Unwrap for $key {
        fn unwrap(root: &RootKey, label: &WrappedKeyLabel<'_>, wrapped: &[u8]) -> Result<Self, OpenError> {
            unwrap_key(root, label, wrapped)
        }
    })*};
}
unwraps!(DataKey, IndexKey, ManifestKey);
