//! The blind index: equality search over a sealed column.
//!
//! `HMAC-SHA256(column index key, u16 label length | label | value)`, first 16 bytes (RFC 2104; NIST
//! SP 800-107 allows truncation). Only for values with at least 128 bits of randomness: whoever holds
//! the database sees which rows are equal, and whoever holds the key can test guesses.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::ColumnIndexKey;
use super::context::label_length;

/// The length of a blind index in bytes.
pub const BLIND_INDEX_LENGTH: usize = 16;

/// The index of the exact bytes of `value` in the column `label`.
pub fn blind_index(key: &ColumnIndexKey, label: &str, value: &[u8]) -> [u8; BLIND_INDEX_LENGTH] {
    let mut index = [0; BLIND_INDEX_LENGTH];
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose()) else {
        unreachable!("HMAC takes keys of any length");
    };
    mac.update(&label_length(label));
    mac.update(label.as_bytes());
    mac.update(value);
    let full = mac.finalize().into_bytes();
    for (to, from) in index.iter_mut().zip(full) {
        *to = from;
    }
    index
}
