//! Sealing and opening one cell.
//!
//! ```text
//! okm[64]    = HKDF-Expand(column key, "strongroom/cell/1" | header[0..8] | salt | context, 64)
//! key        = okm[0..32]     commitment = okm[32..64]
//! ct | tag   = ChaCha20-Poly1305(key, nonce = 0, aad = header[0..64], pad(plaintext))
//! ```
//! The nonce may be zero because the key is used once: 192 random salt bits go into it. The
//! commitment makes it infeasible to craft one cell that opens under two keys.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _, inout::InOutBuf};
use chacha20poly1305::{Nonce, Tag};
use subtle::{Choice, ConstantTimeEq as _};

use super::envelope::{
    COMMITMENT_LENGTH, HEADER_LENGTH, PREFIX_LENGTH, SALT_LENGTH, TAG_LENGTH, prefix,
};
use super::expanded::{Expanded, LONGEST_INFO};
use super::primitive::CellCipher;
use super::primitive::ExpandKey;
use super::random::{NoRandomness, make_bytes};
use super::wiped::wipe;
use super::{ColumnKey, Context, Envelope, KeyId, ParseError, pad};

/// An opened value, wiped when dropped. It cannot be printed.
pub struct Opened(Vec<u8>);

impl Opened {
    /// The plaintext.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The plaintext as text; `None` when it is not UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Why a value was not sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Longer than a cell takes.
    #[error("the value is longer than 1 MiB")]
    TooLong,
    /// See [`NoRandomness`].
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The cipher refused; does not happen with values of the allowed length.
    #[error("the cipher refused the value")]
    Cipher,
}

/// Why a cell did not open. For quarantine and logs; callers outside see one error for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not an envelope.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Sealed for another row, column, owner or database, or its header was altered.
    #[error("commitment mismatch")]
    Commitment,
    /// The ciphertext or the tag was altered.
    #[error("corrupt")]
    Corrupt,
    /// Authentic, but not padded the one valid way.
    #[error("bad padding")]
    Padding,
}

/// Keeps the uses of this construction apart.
#[derive(Clone, Copy)]
pub(super) struct UseLabel(&'static [u8]);

impl UseLabel {
    /// Of constants only: one that leaves no room for the rest of a cell's `info` does not compile.
    pub(super) const fn new(label: &'static [u8]) -> Self {
        assert!(label.len() + PREFIX_LENGTH + SALT_LENGTH + 32 <= LONGEST_INFO, "a shorter label");
        Self(label)
    }

    pub(super) fn bytes(self) -> &'static [u8] {
        self.0
    }
}

pub(super) const CELL: UseLabel = UseLabel::new(b"strongroom/cell/1");

/// Seals `plaintext` under the column's key, bound to `context`.
pub fn seal_cell(
    key: &ColumnKey,
    key_id: KeyId,
    context: &Context,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    seal_with(CELL, key.expand_key(), key_id, context, plaintext, &make_bytes()?)
}

/// Opens a cell that [`seal_cell`] made for the same key and context.
pub fn open_cell(key: &ColumnKey, context: &Context, cell: &[u8]) -> Result<Opened, OpenError> {
    open_with(CELL, key.expand_key(), context, cell)
}

pub(super) fn seal_with(
    use_label: UseLabel,
    key: &ExpandKey,
    key_id: KeyId,
    context: &Context,
    plaintext: &[u8],
    salt: &[u8; SALT_LENGTH],
) -> Result<Vec<u8>, SealError> {
    let padded_length = pad::padded_length(plaintext).ok_or(SealError::TooLong)?;
    let prefix = prefix(key_id);
    let Expanded { first: one_time_key, second: commitment } =
        derive(use_label, key, &prefix, salt, context);

    // Encrypted where it will stay: no copy of the plaintext is left to wipe. The capacity is exact, as growing would leave one.
    let mut cell = Vec::with_capacity(HEADER_LENGTH + padded_length + TAG_LENGTH);
    cell.extend_from_slice(&prefix);
    cell.extend_from_slice(salt);
    cell.extend_from_slice(commitment.as_slice());
    pad::extend_padded(&mut cell, plaintext, padded_length);
    let (header, body) = cell.split_at_mut(HEADER_LENGTH);
    let cipher = CellCipher::new((&*one_time_key).into());
    let Ok(tag) = cipher.encrypt_inout_detached(&Nonce::default(), header, InOutBuf::from(body))
    else {
        wipe(&mut cell);
        return Err(SealError::Cipher);
    };
    cell.extend_from_slice(&tag);
    Ok(cell)
}

pub(super) fn open_with(
    use_label: UseLabel,
    key: &ExpandKey,
    context: &Context,
    cell: &[u8],
) -> Result<Opened, OpenError> {
    let envelope = Envelope::parse(cell)?;
    let derived = derive(use_label, key, envelope.prefix(), envelope.salt(), context);
    if !is_same(&derived.second, envelope.commitment()) {
        return Err(OpenError::Commitment);
    }
    let (ciphertext, tag) = envelope.body();
    let tag = Tag::try_from(tag).map_err(|_| OpenError::Corrupt)?;
    let mut opened = Opened(ciphertext.to_vec());
    CellCipher::new((&*derived.first).into())
        .decrypt_inout_detached(
            &Nonce::default(),
            envelope.header(),
            InOutBuf::from(opened.0.as_mut_slice()),
            &tag,
        )
        .map_err(|_| OpenError::Corrupt)?;
    let length = pad::unpadded_length(&opened.0).ok_or(OpenError::Padding)?;
    // What is cut off is padding, and need not be wiped.
    opened.0.truncate(length);
    Ok(opened)
}

/// The one-time key of a cell, and its commitment.
fn derive(
    use_label: UseLabel,
    key: &ExpandKey,
    prefix: &[u8],
    salt: &[u8],
    context: &Context,
) -> Expanded {
    debug_assert_eq!((prefix.len(), salt.len()), (PREFIX_LENGTH, SALT_LENGTH));
    key.expand(&[use_label.bytes(), prefix, salt, context.as_bytes()])
}

/// Compares in constant time, by words: `subtle` takes bytes one at a time.
fn is_same(one: &[u8; COMMITMENT_LENGTH], other: &[u8]) -> bool {
    let (ones, _) = one.as_chunks();
    let (others, rest) = other.as_chunks();
    let same = ones
        .iter()
        .zip(others)
        .map(|(one, other)| u64::from_ne_bytes(*one).ct_eq(&u64::from_ne_bytes(*other)));
    let length = others.len() == ones.len() && rest.is_empty();
    length && bool::from(same.fold(Choice::from(1), |all, one| all & one))
}
