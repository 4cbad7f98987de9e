//! Wrapping a ring's keys under another root. No cell is touched.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _,
};
use strongroom_entity::key;

use super::key_rows::KEYS_A_STATEMENT;
use super::manifest_row::{read_manifest, write_manifest};
use super::policy_keys::rewrap_logins;
use super::{RingAccess, RingError};
use crate::crypto::{
    DataKey, IndexKey, KeyId, ManifestKey, OpenError, Purpose, RingId, RootKey, WrappedKeyLabel,
    unwrap_key, wrap_key,
};

/// What became of the ring's keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Keys, and passwords of logins, that are wrapped under the other root now.
    pub keys: u64,
    /// Do not unwrap under either, and stay as they are: their cells could not be opened before.
    pub damaged: u64,
}

/// Wraps every key under another root and names that root in the manifest: part of the caller's
/// transaction, so it is all of the ring or nothing. The access must have both roots.
///
/// `logins` says whether there is a table of logins, whose passwords are wrapped like keys.
pub(crate) async fn rewrap(
    db: &impl ConnectionTrait,
    access: &RingAccess,
    to: &RootKey,
    logins: bool,
) -> Result<Rewrapped, RingError> {
    let before = read_manifest(db, access.roots(), access.floor()).await?;
    let from = access.roots().find(&before.manifest.root_id)?;
    if from.id() == to.id() {
        return Ok(Rewrapped::default());
    }
    let mut next = before.manifest.clone();
    next.root_id = hex::encode(to.id());
    // The manifest first: from here on no program adds a key under the root before.
    write_manifest(db, &before, next).await?;
    rewrap_all(db, &before.ring, from, to, logins).await
}

/// Wraps what a program inserted under the root before at the very moment of the rewrap. To be run once
/// every program has noticed the change.
pub(crate) async fn rewrap_stragglers(
    db: &impl ConnectionTrait,
    access: &RingAccess,
    from: &RootKey,
    logins: bool,
) -> Result<Rewrapped, RingError> {
    let now = read_manifest(db, access.roots(), access.floor()).await?;
    rewrap_all(db, &now.ring, from, access.roots().find(&now.manifest.root_id)?, logins).await
}

async fn rewrap_all(
    db: &impl ConnectionTrait,
    ring: &RingId,
    from: &RootKey,
    to: &RootKey,
    logins: bool,
) -> Result<Rewrapped, RingError> {
    let done = rewrap_keys(db, ring, from, to).await?;
    let (passwords, damaged) =
        if logins { rewrap_logins(db, ring, from, to).await? } else { (0, 0) };
    Ok(Rewrapped { keys: done.keys + passwords, damaged: done.damaged + damaged })
}

async fn rewrap_keys(
    db: &impl ConnectionTrait,
    ring: &RingId,
    from: &RootKey,
    to: &RootKey,
) -> Result<Rewrapped, RingError> {
    let mut done = Rewrapped::default();
    let mut changed = Vec::new();
    // A key without bytes was wiped.
    for row in key::Entity::find().filter(key::Column::Wrapped.ne(Vec::<u8>::new())).all(db).await?
    {
        match rewrap_one(ring, &row, from, to) {
            Ok(wrapped) => changed.push(key::Model { wrapped, ..row }),
            Err(RingError::Damaged { .. }) if rewrap_one(ring, &row, to, to).is_ok() => {}
            Err(RingError::Damaged { id, .. }) => {
                tracing::warn!(id, "a key that does not unwrap stays as it is");
                done.damaged += 1;
            }
            Err(error) => return Err(error),
        }
    }
    let over = OnConflict::column(key::Column::Id).update_column(key::Column::Wrapped).to_owned();
    done.keys = changed.len() as u64;
    for chunk in changed.chunks(KEYS_A_STATEMENT) {
        let rows = chunk.iter().cloned().map(|key| key.into_active_model().reset_all());
        key::Entity::insert_many(rows).on_conflict(over.clone()).exec_without_returning(db).await?;
    }
    Ok(done)
}

fn rewrap_one(
    ring: &RingId,
    row: &key::Model,
    from: &RootKey,
    to: &RootKey,
) -> Result<Vec<u8>, RingError> {
    let damaged = |reason| RingError::Damaged { id: row.id, purpose: "ring", reason };
    let (Some(purpose), Ok(id), Ok(generation)) =
        (Purpose::parse(&row.purpose), KeyId::try_from(row.id), u32::try_from(row.generation))
    else {
        return Err(damaged(OpenError::Corrupt));
    };
    let label = WrappedKeyLabel { ring, id, purpose, scope: &row.scope, generation };
    Ok(match purpose {
        Purpose::Data => wrap_key(
            to,
            &label,
            &unwrap_key::<DataKey>(from, &label, &row.wrapped).map_err(damaged)?,
        )?,
        Purpose::Index => wrap_key(
            to,
            &label,
            &unwrap_key::<IndexKey>(from, &label, &row.wrapped).map_err(damaged)?,
        )?,
        Purpose::Manifest => wrap_key(
            to,
            &label,
            &unwrap_key::<ManifestKey>(from, &label, &row.wrapped).map_err(damaged)?,
        )?,
        // Passwords have a table of their own.
        Purpose::Login => return Err(damaged(OpenError::Corrupt)),
    })
}
