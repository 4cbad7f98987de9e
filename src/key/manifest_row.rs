//! The manifest's row: making it, reading it with every check, and writing the next one.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
};
use strongroom_entity::manifest;

use super::key_rows::{make_first_keys, manifest_key};
use super::{Epoch, EpochFloor, Manifest, RingError, Roots};
use crate::crypto::{ManifestKey, RingId, RootKey, manifest_mac, verify_manifest_mac};

/// Whether the manifest's row is there. Says nothing of its authenticity.
async fn has_manifest(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(manifest::Entity::find_by_id(1_i16).one(db).await?.is_some())
}

/// Returns the id of the root that a ring names, `None` where there is no ring. Nothing is authenticated.
///
/// Keys without a manifest are what is left of a ring, and count as one of an unknown root.
pub async fn ring_root(db: &impl ConnectionTrait) -> Result<Option<String>, RingError> {
    let Some(row) = manifest::Entity::find_by_id(1_i16).one(db).await? else {
        let is_left = strongroom_entity::key::Entity::find().one(db).await?.is_some();
        return if is_left { Err(RingError::Forged) } else { Ok(None) };
    };
    let body: serde_json::Value = serde_json::from_str(&row.body).map_err(|_| RingError::Forged)?;
    let id = body.get("root_id").and_then(serde_json::Value::as_str).ok_or(RingError::Forged)?;
    Ok(Some(id.chars().take(32).collect()))
}

/// Makes the ring's first rows. Does nothing where a ring is.
pub(super) async fn make(db: &impl ConnectionTrait, root: &RootKey) -> Result<(), RingError> {
    if has_manifest(db).await? {
        return Ok(());
    }
    let ring = RingId::make()?;
    let manifest_key = make_first_keys(db, root, &ring).await?;
    let first = Manifest::new(hex::encode(root.id()));
    let (body, mac) = authenticate(&manifest_key, &ring, &first)?;
    let row = manifest::ActiveModel {
        id: Set(1),
        ring_id: Set(ring.as_bytes().to_vec()),
        epoch: Set(first.epoch.number()),
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

/// Reads the manifest, and refuses one that is not a held root's, not authentic, or too old.
pub(super) async fn read_manifest(
    db: &impl ConnectionTrait,
    roots: &Roots,
    floor: &EpochFloor,
) -> Result<Verified, RingError> {
    let verified = read_at_any_epoch(db, roots).await?;
    floor.judge(&verified)?;
    Ok(verified)
}

/// The same, however old it is: for saying so, and for accepting it.
pub(super) async fn read_at_any_epoch(
    db: &impl ConnectionTrait,
    roots: &Roots,
) -> Result<Verified, RingError> {
    match verify(db, &read_row(db).await?, roots).await {
        // A rewrap between reading the manifest and reading its key.
        Err(RingError::Damaged { .. }) => verify(db, &read_row(db).await?, roots).await,
        verified => verified,
    }
}

/// What the row says of its ring and epoch; nothing vouches for it.
pub(super) async fn unverified(
    db: &impl ConnectionTrait,
) -> Result<Option<(RingId, Epoch)>, RingError> {
    let Some(row) = manifest::Entity::find_by_id(1_i16).one(db).await? else { return Ok(None) };
    let ring = RingId::try_from(row.ring_id.as_slice()).map_err(|_| RingError::Forged)?;
    Ok(Some((ring, row.epoch.into())))
}

async fn read_row(db: &impl ConnectionTrait) -> Result<manifest::Model, RingError> {
    manifest::Entity::find_by_id(1_i16).one(db).await?.ok_or(RingError::Missing)
}

async fn verify(
    db: &impl ConnectionTrait,
    row: &manifest::Model,
    roots: &Roots,
) -> Result<Verified, RingError> {
    let ring = RingId::try_from(row.ring_id.as_slice()).map_err(|_| RingError::Forged)?;
    let key = manifest_key(db, root_of(&row.body, roots)?, &ring).await?;
    if !verify_manifest_mac(&key, &ring, row.body.as_bytes(), &row.mac) {
        return Err(RingError::Forged);
    }
    let manifest: Manifest =
        serde_json::from_str(&row.body).map_err(|error| RingError::Newer(error.to_string()))?;
    if manifest.epoch.number() != row.epoch {
        return Err(RingError::Forged);
    }
    if manifest.lacks_descriptions() {
        return Err(RingError::BeforeRelease);
    }
    Ok(Verified { ring, key, manifest })
}

/// Writes the next manifest, unless somebody else has written one since `before` was read.
pub(super) async fn write_manifest(
    db: &impl ConnectionTrait,
    before: &Verified,
    mut next: Manifest,
) -> Result<(), RingError> {
    next.advance(before.manifest.epoch)?;
    let (body, mac) = authenticate(&before.key, &before.ring, &next)?;
    let done = manifest::Entity::update_many()
        .col_expr(manifest::Column::Epoch, Expr::value(next.epoch.number()))
        .col_expr(manifest::Column::Body, Expr::value(body))
        .col_expr(manifest::Column::Mac, Expr::value(mac))
        .filter(manifest::Column::Id.eq(1))
        .filter(manifest::Column::Epoch.eq(before.manifest.epoch.number()))
        .exec(db)
        .await?;
    if done.rows_affected == 1 { Ok(()) } else { Err(RingError::Raced) }
}

fn authenticate(
    key: &ManifestKey,
    ring: &RingId,
    manifest: &Manifest,
) -> Result<(String, Vec<u8>), RingError> {
    let body =
        serde_json::to_string(manifest).map_err(|error| RingError::Newer(error.to_string()))?;
    let mac = manifest_mac(key, ring, body.as_bytes()).to_vec();
    Ok((body, mac))
}

/// The manifest names the root before it can be authenticated; a lie here refuses, and opens nothing.
fn root_of<'a>(body: &str, roots: &'a Roots) -> Result<&'a RootKey, RingError> {
    let body: serde_json::Value = serde_json::from_str(body).map_err(|_| RingError::Forged)?;
    let id = body.get("root_id").and_then(serde_json::Value::as_str).ok_or(RingError::Forged)?;
    roots.find(id)
}
