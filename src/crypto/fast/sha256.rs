//! SHA-256 (FIPS 180-4) of what is short and at hand, on the block function of the crate `sha2`.
//!
//! The crate's digest takes messages in pieces, and keeps and wipes a buffer for them. All that a cell hashes is in one piece,
//! and so little that this is felt. Properties below hold it to the crate.

use sha2::block_api::compress256;

use crate::crypto::wiped::Wiped;

pub(super) const BLOCK: usize = 64;
pub(super) const DIGEST: usize = 32;
/// The end of a message: a mark, zeros, and the length in bits.
const MARK: u8 = 0x80;
const LENGTH: usize = 8;

/// What a message has been hashed to so far; wiped when dropped, as it may be a key's.
pub(super) struct State {
    words: Wiped<u32, 8>,
    /// How many bytes; whole blocks.
    hashed: usize,
}

impl State {
    /// Of no message (section 5.3.3).
    pub(super) fn new() -> Self {
        let words = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        Self { words: Wiped::new(words), hashed: 0 }
    }

    /// The state after one more block.
    pub(super) fn then(mut self, block: &[u8; BLOCK]) -> Self {
        compress256(&mut self.words, std::slice::from_ref(block));
        self.hashed += BLOCK;
        self
    }

    /// The digest of the message so far and `rest`.
    pub(super) fn finish(&self, rest: &[u8]) -> Wiped<u8, DIGEST> {
        let mut words = Wiped::new(*self.words);
        let (blocks, tail) = rest.as_chunks();
        compress256(&mut words, blocks);

        let mut end = Wiped::new([0; 2 * BLOCK]);
        let (blocks, _) = end.as_chunks_mut();
        let blocks =
            if tail.len() + 1 + LENGTH <= BLOCK { blocks.split_at_mut(1).0 } else { blocks };
        let bytes = blocks.as_flattened_mut();
        let bits = 8 * (self.hashed + rest.len()) as u64;
        let (to, after) = bytes.split_at_mut(tail.len());
        to.copy_from_slice(tail);
        let Some((mark, zeros)) = after.split_first_mut() else {
            unreachable!("there is room for the mark")
        };
        *mark = MARK;
        let Some(length) = zeros.last_chunk_mut() else {
            unreachable!("there is room for the length")
        };
        *length = bits.to_be_bytes();
        compress256(&mut words, blocks);

        let mut digest = Wiped::new([0; DIGEST]);
        let (chunks, _) = digest.as_chunks_mut();
        for (to, word) in chunks.iter_mut().zip(words.iter()) {
            *to = word.to_be_bytes();
        }
        digest
    }
}

/// The digest of a message that is no secret.
pub(in crate::crypto) fn digest(message: &[u8]) -> [u8; DIGEST] {
    *State::new().finish(message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_digest_of_sha2(message in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(digest(&message), <[u8; 32]>::from(Sha256::digest(&message)));
        }

        #[test]
        fn a_block_before_makes_no_difference(block in any::<[u8; 64]>(), rest in prop::collection::vec(any::<u8>(), 0..200)) {
            let whole = [block.as_slice(), &rest].concat();
            prop_assert_eq!(*State::new().then(&block).finish(&rest), digest(&whole));
        }
    }
}
