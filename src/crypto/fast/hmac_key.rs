//! HMAC-SHA256 (RFC 2104) under a key that is used again and again.
//!
//! The key is kept as the two states of SHA-256 after it, so a code costs none of the setting up. A property below holds it to
//! the crate `hmac`.

use super::sha256::{BLOCK, DIGEST, State};
use crate::crypto::wiped::Wiped;

/// A key of 32 bytes, ready for use; wiped when dropped.
pub(in crate::crypto) struct HmacKey {
    inner: State,
    outer: State,
}

impl HmacKey {
    pub(in crate::crypto) fn new(key: &[u8; DIGEST]) -> Self {
        Self { inner: keyed(key, 0x36), outer: keyed(key, 0x5c) }
    }

    /// The code over a message.
    pub(in crate::crypto) fn mac(&self, message: &[u8]) -> Wiped<u8, DIGEST> {
        self.outer.finish(self.inner.finish(message).as_slice())
    }
}

/// SHA-256 after the key, padded to a block.
fn keyed(key: &[u8; DIGEST], pad: u8) -> State {
    let mut block = Wiped::new([pad; BLOCK]);
    for (to, from) in block.iter_mut().zip(key) {
        *to ^= from;
    }
    State::new().then(&block)
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_code_of_hmac(key in any::<[u8; 32]>(), message in prop::collection::vec(any::<u8>(), 0..300)) {
            let expected = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(&message).finalize().into_bytes();
            prop_assert_eq!(*HmacKey::new(&key).mac(&message), <[u8; 32]>::from(expected));
        }
    }
}
