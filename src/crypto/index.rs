//! The blind index: equality search over a sealed column.
//!
//! `HMAC-SHA256(column index key, u16 label length | label | value)`, first 16 bytes (RFC 2104; NIST
//! SP 800-107 allows truncation). Only for values with at least 128 bits of randomness: whoever holds
//! the database sees which rows are equal, and whoever holds the key can test guesses.

use zeroize::Zeroizing;

use super::ColumnIndexKey;
use super::context::label_length;

/// The length of a blind index in bytes.
pub const BLIND_INDEX_LENGTH: usize = 16;

/// The index of the exact bytes of `value` in the column `label`.
pub fn blind_index(key: &ColumnIndexKey, label: &str, value: &[u8]) -> [u8; BLIND_INDEX_LENGTH] {
    let length = label_length(label);
    let message = Zeroizing::new([length.as_slice(), label.as_bytes(), value].concat());
    let full = key.hmac().mac(&message);
    let (halves, _) = full.as_chunks();
    *halves.first().unwrap_or_else(|| unreachable!("it is 32 bytes"))
}
