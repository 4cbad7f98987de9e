//! Authentication codes of the ring's texts.
//!
//! ```text
//! manifest = HMAC-SHA256(manifest key, "strongroom/manifest/1" | ring id | body)
//! policy   = HMAC-SHA256(manifest key, "strongroom/policy/1" | ring id | u64 number | body), body = source, version and policy
//! epoch    = HMAC-SHA256(manifest key, "strongroom/epoch/1" | ring id | body), body = a line of a host's epoch file
//! audit    = HMAC-SHA256(manifest key, "strongroom/audit/1" | ring id | u64 length of before | before | row)
//! ```

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::ExposeSecret as _;
use sha2::Sha256;

use super::{ManifestKey, RingId};

/// The length of the code in bytes.
pub(super) const MANIFEST_MAC_LENGTH: usize = 32;

/// The code over a manifest's exact bytes.
pub fn manifest_mac(key: &ManifestKey, ring: &RingId, body: &[u8]) -> [u8; MANIFEST_MAC_LENGTH] {
    mac(key, ring, body).finalize().into_bytes().into()
}

/// Compares in constant time.
pub fn verify_manifest_mac(key: &ManifestKey, ring: &RingId, body: &[u8], code: &[u8]) -> bool {
    mac(key, ring, body).verify_slice(code).is_ok()
}

/// The code over a policy's exact bytes and its place in the order.
pub fn policy_mac(
    key: &ManifestKey,
    ring: &RingId,
    number: u64,
    body: &[u8],
) -> [u8; MANIFEST_MAC_LENGTH] {
    keyed(key, &[b"strongroom/policy/1", ring.as_bytes(), &number.to_be_bytes(), body])
        .finalize()
        .into_bytes()
        .into()
}

/// Compares in constant time.
pub fn verify_policy_mac(
    key: &ManifestKey,
    ring: &RingId,
    number: u64,
    body: &[u8],
    code: &[u8],
) -> bool {
    keyed(key, &[b"strongroom/policy/1", ring.as_bytes(), &number.to_be_bytes(), body])
        .verify_slice(code)
        .is_ok()
}

/// The code over a line of a host's epoch file.
pub fn epoch_mac(key: &ManifestKey, ring: &RingId, body: &[u8]) -> [u8; MANIFEST_MAC_LENGTH] {
    keyed(key, &[b"strongroom/epoch/1", ring.as_bytes(), body]).finalize().into_bytes().into()
}

/// Compares in constant time.
pub fn verify_epoch_mac(key: &ManifestKey, ring: &RingId, body: &[u8], code: &[u8]) -> bool {
    keyed(key, &[b"strongroom/epoch/1", ring.as_bytes(), body]).verify_slice(code).is_ok()
}

/// The code over an audit row's bytes and the code of the row before it.
pub fn audit_mac(
    key: &ManifestKey,
    ring: &RingId,
    before: &[u8],
    row: &[u8],
) -> [u8; MANIFEST_MAC_LENGTH] {
    chained(key, ring, before, row).finalize().into_bytes().into()
}

/// Compares in constant time.
pub fn verify_audit_mac(
    key: &ManifestKey,
    ring: &RingId,
    before: &[u8],
    row: &[u8],
    code: &[u8],
) -> bool {
    chained(key, ring, before, row).verify_slice(code).is_ok()
}

fn chained(key: &ManifestKey, ring: &RingId, before: &[u8], row: &[u8]) -> Hmac<Sha256> {
    let length = u64::try_from(before.len()).unwrap_or(u64::MAX).to_be_bytes();
    keyed(key, &[b"strongroom/audit/1", ring.as_bytes(), &length, before, row])
}

fn mac(key: &ManifestKey, ring: &RingId, body: &[u8]) -> Hmac<Sha256> {
    keyed(key, &[b"strongroom/manifest/1", ring.as_bytes(), body])
}

fn keyed(key: &ManifestKey, parts: &[&[u8]]) -> Hmac<Sha256> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.0.expose_secret()) else {
        unreachable!("HMAC takes keys of any length");
    };
    for part in parts {
        mac.update(part);
    }
    mac
}
