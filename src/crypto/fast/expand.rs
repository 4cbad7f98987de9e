//! HKDF-Expand (RFC 5869, section 2.3) of a cell's 64 bytes.
//!
//! As the crate `hkdf` does it, which a property below holds it to, but under a key that is kept ready ([`HmacKey`]), and with
//! one buffer for both messages.

use super::hmac_key::HmacKey;
use super::sha256::{BLOCK, DIGEST};
use crate::crypto::expanded::{Expanded, LONGEST_INFO};
use crate::crypto::wiped::Wiped;

/// The second message: T(1), the info, a number, and the nine bytes at least that end a message.
const _: () = assert!(DIGEST + LONGEST_INFO + 1 + 9 <= 2 * BLOCK, "it fills more than two blocks");

/// A key that is expanded; wiped when dropped.
pub(in crate::crypto) struct ExpandKey(HmacKey);

impl ExpandKey {
    pub(in crate::crypto) fn new(key: &[u8; DIGEST]) -> Self {
        Self(HmacKey::new(key))
    }

    /// Returns `T(1) | T(2)`, where `T(1) = HMAC(info | 1)` and `T(2) = HMAC(T(1) | info | 2)`. The info comes in parts, of
    /// at most [`LONGEST_INFO`] bytes together.
    pub(in crate::crypto) fn expand(&self, info: &[&[u8]]) -> Expanded {
        // Written once for both messages: the info and a number, after room for T(1).
        let mut message = Wiped::new([0; DIGEST + LONGEST_INFO + 1]);
        let mut length = DIGEST;
        for part in info {
            length += put(message.as_mut_slice(), length, part);
        }
        length += put(message.as_mut_slice(), length, &[1]);
        let first = self.0.mac(part(message.as_slice(), DIGEST, length));
        put(message.as_mut_slice(), 0, first.as_slice());
        put(message.as_mut_slice(), length - 1, &[2]);
        let second = self.0.mac(part(message.as_slice(), 0, length));
        Expanded { first, second }
    }
}

fn part(message: &[u8], from: usize, to: usize) -> &[u8] {
    let Some(part) = message.get(from..to) else { unreachable!("more than was put") };
    part
}

/// Copies a part into the message, and returns its length.
fn put(message: &mut [u8], at: usize, part: &[u8]) -> usize {
    let Some(to) = message.get_mut(at..at + part.len()) else {
        unreachable!("more than the longest info")
    };
    to.copy_from_slice(part);
    part.len()
}

#[cfg(test)]
mod tests {
    use hkdf::Hkdf;
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;

    proptest! {
        #[test]
        fn what_is_expanded_is_what_hkdf_expands(key in any::<[u8; 32]>(), info in prop::collection::vec(any::<u8>(), 0..=LONGEST_INFO), cut in any::<prop::sample::Index>()) {
            let mut expected = [0; 64];
            Hkdf::<Sha256>::from_prk(&key).unwrap().expand(&info, &mut expected).unwrap();
            let (one, other) = info.split_at(cut.index(info.len() + 1));
            let Expanded { first, second } = ExpandKey::new(&key).expand(&[one, other]);
            prop_assert_eq!([*first, *second].concat(), expected);
        }
    }
}
