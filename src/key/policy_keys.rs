//! What policies and database logins need of the ring: passwords wrapped under the root, and codes over policies.

use std::sync::Arc;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use strongroom_entity::database_login::{Column, Entity, Model};

use super::manifest_row::read_manifest;
use super::{RingAccess, RingError, Roots};
use crate::crypto::{
    DatabasePassword, KeyId, ManifestKey, OpenError, Purpose, RingId, RootKey, WrappedKeyLabel,
    policy_mac, unwrap_key, verify_policy_mac, wrap_key,
};

/// Loaded for one piece of work: it does not follow a rewrap.
pub struct PolicyKeys {
    roots: Arc<Roots>,
    root_id: String,
    ring: RingId,
    key: ManifestKey,
}

impl PolicyKeys {
    /// From a manifest that verifies.
    pub async fn load(
        db: &impl ConnectionTrait,
        access: impl Into<RingAccess>,
    ) -> Result<Self, RingError> {
        let access = access.into();
        let verified = read_manifest(db, access.roots(), access.floor()).await?;
        Ok(Self {
            roots: access.roots().clone(),
            root_id: verified.manifest.root_id,
            ring: verified.ring,
            key: verified.key,
        })
    }

    /// The ring's id.
    #[doc(hidden)]
    pub fn ring(&self) -> &RingId {
        &self.ring
    }

    /// A password for storing: bound to the ring, the login and the password's number.
    pub(crate) fn wrap(
        &self,
        component: &str,
        slot: &str,
        version: u32,
        password: &DatabasePassword,
    ) -> Result<Vec<u8>, RingError> {
        Ok(wrap_key(
            self.roots.find(&self.root_id)?,
            &label(&self.ring, &scope(component, slot), version),
            password,
        )?)
    }

    /// The password of a stored login.
    #[doc(hidden)]
    pub fn password(&self, login: &Model) -> Result<DatabasePassword, RingError> {
        unwrap(self.roots.find(&self.root_id)?, &self.ring, login)
    }

    /// The code over a policy and its place in the order.
    pub(crate) fn policy_mac(&self, number: i64, body: &str) -> Vec<u8> {
        policy_mac(&self.key, &self.ring, number.unsigned_abs(), body.as_bytes()).to_vec()
    }

    /// Whether a policy is one that a holder of the root wrote.
    pub(crate) fn verifies(&self, number: i64, body: &str, mac: &[u8]) -> bool {
        verify_policy_mac(&self.key, &self.ring, number.unsigned_abs(), body.as_bytes(), mac)
    }
}

/// Wraps the passwords under another root: part of the rewrap's transaction. How many, and how many do not unwrap.
pub(super) async fn rewrap_logins(
    db: &impl ConnectionTrait,
    ring: &RingId,
    from: &RootKey,
    to: &RootKey,
) -> Result<(u64, u64), RingError> {
    let (mut done, mut damaged) = (0, 0);
    for login in Entity::find().all(db).await? {
        let Ok(password) = unwrap(from, ring, &login) else {
            damaged += u64::from(unwrap(to, ring, &login).is_err());
            continue;
        };
        let version = u32::try_from(login.version).unwrap_or_default();
        let wrapped =
            wrap_key(to, &label(ring, &scope(&login.component, &login.slot), version), &password)?;
        let update = Entity::update_many().col_expr(Column::Wrapped, Expr::value(wrapped));
        update
            .filter(Column::Component.eq(&login.component))
            .filter(Column::Slot.eq(&login.slot))
            .exec(db)
            .await?;
        done += 1;
    }
    Ok((done, damaged))
}

fn unwrap(root: &RootKey, ring: &RingId, login: &Model) -> Result<DatabasePassword, RingError> {
    let damaged =
        |reason| RingError::Damaged { id: i64::from(ID), purpose: Purpose::Login.as_str(), reason };
    let version = u32::try_from(login.version).map_err(|_| damaged(OpenError::Corrupt))?;
    unwrap_key(root, &label(ring, &scope(&login.component, &login.slot), version), &login.wrapped)
        .map_err(damaged)
}

fn scope(component: &str, slot: &str) -> String {
    format!("login:{component}/{slot}")
}

/// No ring comes to as many keys; the label tells passwords apart.
const ID: KeyId = KeyId::new(u32::MAX);

fn label<'a>(ring: &'a RingId, scope: &'a str, version: u32) -> WrappedKeyLabel<'a> {
    WrappedKeyLabel { ring, id: ID, purpose: Purpose::Login, scope, generation: version }
}
