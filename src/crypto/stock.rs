//! The stock path: SHA-256, HMAC, HKDF-Expand and ChaCha20-Poly1305 in the ordinary way of their crates.
//!
//! The feature `stock-crypto` takes it in place of `fast`, for programs that prefer the crates' own, widely reviewed
//! code to speed. Cells, wrapped keys and blind indexes have the same bytes on both paths.
//!
//! Does not promise: wiping of the digests that the crates return by value.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::expanded::Expanded;
use super::wiped::Wiped;

pub(super) use chacha20poly1305::ChaCha20Poly1305 as CellCipher;

/// Returns the SHA-256 of a message that is no secret.
pub(super) fn digest(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// A key of HMAC-SHA256; wiped when dropped.
pub(super) struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let Ok(mac) = Hmac::new_from_slice(key) else {
            unreachable!("HMAC takes keys of any length")
        };
        Self(mac)
    }

    /// The code over a message.
    pub(super) fn mac(&self, message: &[u8]) -> Wiped<u8, 32> {
        Wiped::new(self.0.clone().chain_update(message).finalize().into_bytes().into())
    }
}

/// A key of HKDF-Expand; wiped when dropped.
pub(super) struct ExpandKey(Hkdf<Sha256>);

impl ExpandKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let Ok(key) = Hkdf::from_prk(key) else { unreachable!("the key is as long as a digest") };
        Self(key)
    }

    /// Returns HKDF's first 64 bytes for an info that comes in parts.
    pub(super) fn expand(&self, info: &[&[u8]]) -> Expanded {
        let mut bytes = Wiped::new([0; 64]);
        if self.0.expand_multi_info(info, bytes.as_mut_slice()).is_err() {
            unreachable!("64 bytes are two digests");
        }
        let (mut first, mut second) = (Wiped::new([0; 32]), Wiped::new([0; 32]));
        let (one, other) = bytes.split_at(first.len());
        first.copy_from_slice(one);
        second.copy_from_slice(other);
        Expanded { first, second }
    }
}
