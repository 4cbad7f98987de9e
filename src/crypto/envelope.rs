//! The bytes of a sealed cell, version 1.
//!
//! | offset | length | field |
//! | --- | --- | --- |
//! | 0 | 1 | version, `0x01` |
//! | 1 | 1 | suite, `0x01` = HKDF-SHA256, ChaCha20-Poly1305 |
//! | 2 | 2 | zero |
//! | 4 | 4 | key id, big-endian, not 0 |
//! | 8 | 24 | salt, random |
//! | 32 | 32 | commitment |
//! | 64 | n | ciphertext of the padded plaintext |
//! | 64 + n | 16 | tag |
//!
//! The format is frozen by `tests/vectors/`; a change is version 2.

use super::KeyId;
/// Where the ciphertext begins.
pub(super) const HEADER_LENGTH: usize = 64;
/// Where the four bytes of the key id stand, for SQL that counts cells by key.
pub(crate) const KEY_ID_OFFSET: usize = 4;
/// The shortest envelope: a header, 32 bytes of padded plaintext, a tag.
pub(super) const MINIMUM_LENGTH: usize = HEADER_LENGTH + 32 + TAG_LENGTH;

pub(super) const PREFIX_LENGTH: usize = 8;
pub(super) const SALT_LENGTH: usize = 24;
pub(super) const COMMITMENT_LENGTH: usize = 32;
pub(super) const TAG_LENGTH: usize = 16;

const VERSION: u8 = 1;
const SUITE: u8 = 1;
/// Padded plaintext never exceeds this; a longer envelope is refused before anything is allocated.
const MAXIMUM_LENGTH: usize = HEADER_LENGTH + 1_081_344 + TAG_LENGTH;

/// Why bytes are not an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Shorter or longer than any envelope.
    #[error("wrong length")]
    Length,
    /// Not version 1.
    #[error("unknown version")]
    Version,
    /// Not suite 1.
    #[error("unknown suite")]
    Suite,
    /// The two reserved bytes are not zero, or the key id is zero.
    #[error("malformed header")]
    Header,
}

/// A parsed envelope, borrowed from the cell. Parsing authenticates nothing.
#[derive(Clone, Copy)]
pub struct Envelope<'a> {
    header: &'a [u8],
    body: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Splits a cell into its fields, within bounds.
    pub fn parse(cell: &'a [u8]) -> Result<Self, ParseError> {
        if !(MINIMUM_LENGTH..=MAXIMUM_LENGTH).contains(&cell.len()) {
            return Err(ParseError::Length);
        }
        let (header, body) = cell.split_at(HEADER_LENGTH);
        match header {
            [VERSION, SUITE, 0, 0, 0, 0, 0, 0, ..] => Err(ParseError::Header),
            [VERSION, SUITE, 0, 0, ..] => Ok(Self { header, body }),
            [VERSION, SUITE, ..] => Err(ParseError::Header),
            [VERSION, ..] => Err(ParseError::Suite),
            _ => Err(ParseError::Version),
        }
    }

    /// The id of the only key that may open this cell.
    pub fn key_id(&self) -> KeyId {
        let mut id = [0; 4];
        id.copy_from_slice(self.field(KEY_ID_OFFSET, 4));
        KeyId::from_be_bytes(id)
    }

    pub(super) fn header(&self) -> &'a [u8] {
        self.header
    }

    pub(super) fn prefix(&self) -> &'a [u8] {
        self.field(0, PREFIX_LENGTH)
    }

    pub(super) fn salt(&self) -> &'a [u8] {
        self.field(PREFIX_LENGTH, SALT_LENGTH)
    }

    pub(super) fn commitment(&self) -> &'a [u8] {
        self.field(PREFIX_LENGTH + SALT_LENGTH, COMMITMENT_LENGTH)
    }

    /// Ciphertext and tag.
    pub(super) fn body(&self) -> (&'a [u8], &'a [u8]) {
        self.body.split_at(self.body.len() - TAG_LENGTH)
    }

    /// `parse` made sure that the header is whole; an impossible range yields nothing, never a panic.
    fn field(&self, start: usize, length: usize) -> &'a [u8] {
        self.header.get(start..start + length).unwrap_or_default()
    }
}

/// The first eight bytes of an envelope under `key_id`.
pub(super) fn prefix(key_id: KeyId) -> [u8; PREFIX_LENGTH] {
    let [a, b, c, d] = key_id.to_be_bytes();
    [VERSION, SUITE, 0, 0, a, b, c, d]
}
