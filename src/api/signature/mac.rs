//! The code of a signature.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// `HMAC-SHA256(key, text)`, RFC 2104.
pub(super) fn mac(key: &[u8], text: &str) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length");
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}
