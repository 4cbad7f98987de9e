//! ChaCha20's key stream (RFC 8439, section 2.4), its first blocks made at once.
//!
//! An AEAD asks for the stream in pieces: a block for Poly1305's key, then what the message needs. Vector units make four
//! blocks in the time of one, if asked for four, which is all that a cell of up to 192 padded bytes takes. So the stream is
//! made ahead, and handed out, which takes a quarter off a short cell; a longer one goes on with the cipher as it is.

use chacha20::ChaCha20;
use chacha20::cipher::array::Array;
use chacha20::cipher::common::{IvSizeUser, KeySizeUser};
use chacha20::cipher::consts::{U12, U32};
use chacha20::cipher::inout::InOutBuf;
use chacha20::cipher::{Iv, Key, KeyIvInit, OverflowError, SeekNum, StreamCipher, StreamCipherError, StreamCipherSeek};
use chacha20poly1305::ChaChaPoly1305;

use super::wiped::Wiped;

/// ChaCha20-Poly1305, faster for short messages. Its bytes are the same.
pub(super) type ShortChaCha20Poly1305 = ChaChaPoly1305<Keystream, U12>;

const BLOCK: u8 = 64;
const HALF: usize = 32;
const AHEAD: usize = 4 * BLOCK as usize;

/// The stream under one key and nonce, from wherever it was sought.
pub(super) struct Keystream {
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
        xor(first, made);
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
        let Ok(next) = u8::try_from(self.next) else { return self.rest.try_current_pos() };
        // As the trait wants it: the first block of which nothing was taken, and what was taken of the one before.
        let taken = if next % BLOCK == 0 { BLOCK } else { next % BLOCK };
        T::from_block_byte(u32::from(next.div_ceil(BLOCK)), taken, BLOCK)
    }

    fn try_seek<T: SeekNum>(&mut self, position: T) -> Result<(), StreamCipherError> {
        let (block, byte) = position.into_block_byte::<u32>(BLOCK)?;
        let position = u64::from(block) * u64::from(BLOCK) + u64::from(byte);
        let made = usize::try_from(position).map_or(AHEAD, |position| position.min(AHEAD));
        self.rest.try_seek(position.max(AHEAD as u64))?;
        self.next = made;
        Ok(())
    }
}

/// By the half block, which is as wide as vectors are; what the AEAD asks for are halves.
fn xor(buffer: InOutBuf<'_, '_, u8>, stream: &[u8]) {
    let whole = buffer.len() / HALF * HALF;
    let (halves, mut end) = buffer.into_chunks::<U32>();
    let (stream, end_stream) = stream.split_at_checked(whole).unwrap_or_default();
    for (mut half, stream) in halves.into_iter().zip(Array::slice_as_chunks(stream).0) {
        half.xor_in2out(stream);
    }
    end.xor_in2out(end_stream.get(..end.len()).unwrap_or_default());
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
            pieces in prop::collection::vec((prop::option::of(0_u64..600), 0_usize..300), 1..6),
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
                prop_assert_eq!(our_bytes, their_bytes);
                prop_assert_eq!(ours.current_pos::<u64>(), theirs.current_pos::<u64>());
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
            let our_tag = ShortChaCha20Poly1305::new(&key.into()).encrypt_inout_detached(&nonce, &header, ours.as_mut_slice().into());
            let their_tag = ChaCha20Poly1305::new(&key.into()).encrypt_inout_detached(&nonce, &header, theirs.as_mut_slice().into());
            prop_assert_eq!((ours, our_tag), (theirs, their_tag));
        }
    }

    #[test]
    fn it_ends_where_chacha20_ends() {
        let last = u64::from(u32::MAX) * u64::from(BLOCK);
        let mut ours = Keystream::new(&[1; 32].into(), &[2; 12].into());
        let mut theirs = ChaCha20::new(&[1; 32].into(), &[2; 12].into());
        for position in [0, 255, 256, last] {
            ours.seek(position);
            theirs.seek(position);
            for length in [0, 1, 64, 65, 128, 257] {
                assert_eq!(
                    ours.check_remaining(length).is_ok(),
                    theirs.check_remaining(length).is_ok(),
                    "{length} bytes at {position}"
                );
            }
        }
    }
}
