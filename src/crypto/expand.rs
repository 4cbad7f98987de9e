//! HKDF-Expand (RFC 5869, section 2.3) of a cell's 64 bytes, on SHA-256's block function.
//!
//! The key is kept as HMAC's two states under it (RFC 2104), and what it is expanded with is short. So a few blocks are
//! hashed, and nothing is set up, buffered or chosen on the way, as it is for messages of any length: that is a tenth of a
//! cell. A property below holds it to the crate `hkdf`.

use sha2::block_api::compress256;
use zeroize::Zeroizing;

const BLOCK: usize = 64;
const DIGEST: usize = 32;
/// What SHA-256 starts from (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
/// The end of a message: a mark, zeros, and the length in bits.
const MARK: u8 = 0x80;
const LENGTH: usize = 8;

/// What it can be expanded with: with the digest before it, its number and its end it fills two blocks.
pub(super) const LONGEST_INFO: usize = 2 * BLOCK - DIGEST - 1 - 1 - LENGTH;

/// A pseudorandom key of 32 bytes, ready to be expanded; wiped when dropped.
pub(super) struct Expander {
    inner: Zeroizing<[u32; 8]>,
    outer: Zeroizing<[u32; 8]>,
}

impl Expander {
    pub(super) fn new(key: &[u8; DIGEST]) -> Self {
        Self { inner: keyed(key, 0x36), outer: keyed(key, 0x5c) }
    }

    /// `T(1) | T(2)`, where `T(1) = HMAC(info | 1)` and `T(2) = HMAC(T(1) | info | 2)`. The info comes in parts, of at most
    /// [`LONGEST_INFO`] bytes together.
    pub(super) fn expand(&self, info: &[&[u8]]) -> Zeroizing<[u8; 2 * DIGEST]> {
        let mut okm = Zeroizing::new([0; 2 * DIGEST]);
        // One for all messages, so that it is wiped once.
        let mut blocks = Zeroizing::new([0; 2 * BLOCK]);
        let (first, second) = okm.split_at_mut(DIGEST);
        self.mac(blocks.as_mut_slice(), &[], info, 1, first);
        self.mac(blocks.as_mut_slice(), first, info, 2, second);
        okm
    }

    fn mac(&self, blocks: &mut [u8], before: &[u8], info: &[&[u8]], number: u8, mac: &mut [u8]) {
        let mut message = Message::new(blocks);
        message.push(before);
        for part in info {
            message.push(part);
        }
        message.push(&[number]);
        let inner = message.hash(&self.inner);

        let mut message = Message::new(blocks);
        for word in inner.iter() {
            message.push(&word.to_be_bytes());
        }
        let outer = message.hash(&self.outer);
        let (words, _) = mac.as_chunks_mut();
        for (to, word) in words.iter_mut().zip(outer.iter()) {
            *to = word.to_be_bytes();
        }
    }
}

/// The state after the first block of HMAC, which is the key, padded.
fn keyed(key: &[u8; DIGEST], pad: u8) -> Zeroizing<[u32; 8]> {
    let mut block = Zeroizing::new([pad; BLOCK]);
    for (to, from) in block.iter_mut().zip(key) {
        *to ^= from;
    }
    let mut state = Zeroizing::new(INITIAL);
    compress256(&mut state, std::slice::from_ref(&*block));
    state
}

/// The last blocks of a message; one has been hashed before.
struct Message<'a> {
    blocks: &'a mut [u8],
    length: usize,
}

impl<'a> Message<'a> {
    /// What is in `blocks` is written over.
    fn new(blocks: &'a mut [u8]) -> Self {
        Self { blocks, length: 0 }
    }

    fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        self.to(end).copy_from_slice(part);
        self.length = end;
    }

    fn hash(mut self, before: &[u32; 8]) -> Zeroizing<[u32; 8]> {
        let bits = 8 * (BLOCK + self.length) as u64;
        self.push(&[MARK]);
        let end = (self.length + LENGTH).next_multiple_of(BLOCK);
        self.to(end - LENGTH).fill(0);
        self.length = end - LENGTH;
        self.push(&bits.to_be_bytes());
        let (blocks, _) = self.blocks.get(..end).unwrap_or_default().as_chunks();
        let mut state = Zeroizing::new(*before);
        compress256(&mut state, blocks);
        state
    }

    fn to(&mut self, end: usize) -> &mut [u8] {
        let Some(to) = self.blocks.get_mut(self.length..end) else { unreachable!("more than the longest info") };
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hkdf::Hkdf;
    use proptest::prelude::*;
    use sha2::Sha256;

    proptest! {
        #[test]
        fn what_is_expanded_is_what_hkdf_expands(key in any::<[u8; 32]>(), info in prop::collection::vec(any::<u8>(), 0..=LONGEST_INFO), cut in any::<prop::sample::Index>()) {
            let mut expected = [0; 64];
            Hkdf::<Sha256>::from_prk(&key).unwrap().expand(&info, &mut expected).unwrap();
            let (one, other) = info.split_at(cut.index(info.len() + 1));
            prop_assert_eq!(*Expander::new(&key).expand(&[one, other]), expected);
        }
    }
}
