//! ChaCha20's key stream (RFC 8439, section 2.4), its first blocks made at once.
//!
//! An AEAD asks for the stream in pieces: a block for Poly1305's key, then what the message needs. Vector units make several
//! blocks in the time of one, if asked for so many, and three are all that a cell of up to 127 bytes takes. So the stream is
//! made ahead, and handed out; a longer cell goes on with the cipher as it is. Where there are no vector units, a short cell
//! pays for a block or two that it does not need.

use chacha20::ChaCha20;
use chacha20poly1305::ChaChaPoly1305;
use cipher::array::Array;
use cipher::common::{IvSizeUser, KeySizeUser};
use cipher::consts::{U12, U32};
use cipher::inout::InOutBuf;
use cipher::{
    Iv, Key, KeyIvInit, OverflowError, SeekNum, StreamCipher, StreamCipherError, StreamCipherSeek,
};

use crate::crypto::wiped::Wiped;

/// ChaCha20-Poly1305, faster for short messages. Its bytes are the same.
pub(in crate::crypto) type CellCipher = ChaChaPoly1305<Keystream, U12>;

const BLOCK: usize = 64;
const HALF: usize = BLOCK / 2;
/// As many blocks as `chacha20` makes at once: NEON's eight, and the four of AVX2 and SSE2.
const AHEAD: usize = BLOCK * if cfg!(target_arch = "aarch64") { 8 } else { 4 };

/// The stream under one key and nonce, from wherever it was sought.
pub(in crate::crypto) struct Keystream {
    ahead: Wiped<u8, AHEAD>,
    /// Where in `ahead` the stream goes on; at its end, it goes on in `rest`.
    next: usize,
    rest: ChaCha20,
}

impl Keystream {
    fn unused(&self) -> &[u8] {
        self.ahead.get(self.next..).unwrap_or_default()
    }
}

impl KeySizeUser for Keystream {
    type KeySize = U32;
}

impl IvSizeUser for Keystream {
    type IvSize = U12;
}

impl KeyIvInit for Keystream {
    fn new(key: &Key<Self>, nonce: &Iv<Self>) -> Self {
        let mut rest = ChaCha20::new(key, nonce);
        let mut ahead = Wiped::new([0; AHEAD]);
        rest.write_keystream(ahead.as_mut_slice());
        Self { ahead, next: 0, rest }
    }
}

impl StreamCipher for Keystream {
    fn check_remaining(&self, length: usize) -> Result<(), StreamCipherError> {
        self.rest.check_remaining(length.saturating_sub(self.unused().len()))
    }

    fn unchecked_apply_keystream_inout(&mut self, buffer: InOutBuf<'_, '_, u8>) {
        let made = self.unused();
        let length = made.len().min(buffer.len());
        let (first, after) = buffer.split_at(length);
        xor(first, made.split_at(length).0);
        self.next += length;
        if !after.is_empty() {
            self.rest.unchecked_apply_keystream_inout(after);
        }
    }

    fn unchecked_write_keystream(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
        self.unchecked_apply_keystream_inout(buffer.into());
    }
}

impl StreamCipherSeek for Keystream {
    fn try_current_pos<T: SeekNum>(&self) -> Result<T, OverflowError> {
        if self.next == AHEAD {
            return self.rest.try_current_pos();
        }
        // As the trait wants it: the first block of which nothing was taken, and what was taken of the one before.
        let (block, taken) = match self.next % BLOCK {
            0 => (self.next / BLOCK, BLOCK),
            taken => (self.next / BLOCK + 1, taken),
        };
        T::from_block_byte(small::<u32>(block)?, small(taken)?, small(BLOCK)?)
    }

    fn try_seek<T: SeekNum>(&mut self, position: T) -> Result<(), StreamCipherError> {
        let (block, byte) = position.into_block_byte::<u32>(small(BLOCK)?)?;
        let position = u64::from(block) * BLOCK as u64 + u64::from(byte);
        self.rest.try_seek(position.max(AHEAD as u64))?;
        self.next = usize::try_from(position).map_or(AHEAD, |position| position.min(AHEAD));
        Ok(())
    }
}

fn small<T: TryFrom<usize>>(number: usize) -> Result<T, OverflowError> {
    T::try_from(number).map_err(|_| OverflowError)
}

/// By the half block, which is as wide as vectors are; what the AEAD asks for are halves.
fn xor(buffer: InOutBuf<'_, '_, u8>, stream: &[u8]) {
    let (whole, rest) = stream.split_at(buffer.len() / HALF * HALF);
    let (halves, mut end) = buffer.into_chunks::<U32>();
    for (mut half, stream) in halves.into_iter().zip(Array::slice_as_chunks(whole).0) {
        half.xor_in2out(stream);
    }
    end.xor_in2out(rest);
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
    use chacha20poly1305::{ChaCha20Poly1305, Nonce};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_stream_is_chacha20s(
            key in any::<[u8; 32]>(),
            nonce in any::<[u8; 12]>(),
            pieces in prop::collection::vec((prop::option::of(0_u64..1200), 0_usize..700), 1..6),
        ) {
            let mut ours = Keystream::new(&key.into(), &nonce.into());
            let mut theirs = ChaCha20::new(&key.into(), &nonce.into());
            for (seek, length) in pieces {
                if let Some(position) = seek {
                    ours.seek(position);
                    theirs.seek(position);
                }
                let (mut our_bytes, mut their_bytes) = (vec![7; length], vec![7; length]);
                ours.apply_keystream(&mut our_bytes);
                theirs.apply_keystream(&mut their_bytes);
                prop_assert_eq!(&our_bytes, &their_bytes);
                prop_assert_eq!(ours.current_pos::<u64>(), theirs.current_pos::<u64>());
                ours.write_keystream(&mut our_bytes);
                theirs.write_keystream(&mut their_bytes);
                prop_assert_eq!(our_bytes, their_bytes);
            }
        }

        #[test]
        fn what_is_sealed_is_what_chacha20_poly1305_seals(
            key in any::<[u8; 32]>(),
            header in prop::collection::vec(any::<u8>(), 0..80),
            plaintext in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let (mut ours, mut theirs) = (plaintext.clone(), plaintext);
            let nonce = Nonce::default();
            let our_tag = CellCipher::new(&key.into()).encrypt_inout_detached(&nonce, &header, ours.as_mut_slice().into());
            let their_tag = ChaCha20Poly1305::new(&key.into()).encrypt_inout_detached(&nonce, &header, theirs.as_mut_slice().into());
            prop_assert_eq!((ours, our_tag), (theirs, their_tag));
        }
    }

    fn both() -> (Keystream, ChaCha20) {
        (
            Keystream::new(&[1; 32].into(), &[2; 12].into()),
            ChaCha20::new(&[1; 32].into(), &[2; 12].into()),
        )
    }

    #[test]
    fn it_ends_where_chacha20_ends() {
        let end = u64::from(u32::MAX) * BLOCK as u64;
        for position in [0, 1, 255, 256, 257, 511, 512, end - 1, end] {
            let (mut ours, mut theirs) = both();
            ours.seek(position);
            theirs.seek(position);
            let left = usize::try_from(end - position).unwrap();
            for length in [0, 1, 257, left.saturating_sub(1), left, left + 1, left + 65] {
                let (ours, theirs) = (ours.check_remaining(length), theirs.check_remaining(length));
                assert_eq!(ours.is_ok(), theirs.is_ok(), "{length} bytes at {position}");
            }
        }
    }

    #[test]
    fn nothing_is_sought_behind_the_end() {
        let end = u64::from(u32::MAX) * BLOCK as u64;
        for position in [end + 1, end + 63, end + 64] {
            let (mut ours, mut theirs) = both();
            ours.seek(70_u64);
            theirs.seek(70_u64);
            assert_eq!(
                ours.try_seek(position).is_ok(),
                theirs.try_seek(position).is_ok(),
                "{position}"
            );
            assert_eq!(ours.current_pos::<u64>(), theirs.current_pos::<u64>(), "{position}");
        }
    }

    #[test]
    fn what_it_is_made_of_is_wiped() {
        fn is_wiped<T: zeroize::ZeroizeOnDrop>() {}
        is_wiped::<ChaCha20>();
        is_wiped::<Wiped<u8, AHEAD>>();
    }
}
