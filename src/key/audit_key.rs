//! The key under which audit rows are chained.

use sea_orm::ConnectionTrait;

use super::manifest_row::read_manifest;
use super::{RingAccess, RingError};
use crate::crypto::{ManifestKey, RingId, audit_mac, verify_audit_mac};

/// Stays the same for as long as the ring is there, whatever root wraps it.
pub struct AuditKey {
    ring: RingId,
    key: ManifestKey,
}

impl AuditKey {
    /// From a manifest that verifies.
    pub async fn load(
        db: &impl ConnectionTrait,
        access: impl Into<RingAccess>,
    ) -> Result<Self, RingError> {
        let access = access.into();
        let verified = read_manifest(db, access.roots(), access.floor()).await?;
        Ok(Self { ring: verified.ring, key: verified.key })
    }

    /// The code of a row with these bytes, after the row with the code `before`.
    pub(crate) fn mac(&self, before: &[u8], row: &[u8]) -> Vec<u8> {
        audit_mac(&self.key, &self.ring, before, row).to_vec()
    }

    /// Compares in constant time.
    pub(crate) fn verifies(&self, before: &[u8], row: &[u8], mac: &[u8]) -> bool {
        verify_audit_mac(&self.key, &self.ring, before, row, mac)
    }
}
