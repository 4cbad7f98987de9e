//! Why a cell does not open.

use crate::crypto::{OpenError, ParseError};

/// Why a cell does not open. Callers outside the program see one answer for all of them; the reason
/// is for quarantine and for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenFailure {
    /// The key that the header names is not in the ring, or does not unwrap.
    #[error("unknown_key")]
    UnknownKey,
    /// The key's generation is closed or retired.
    #[error("retired_key")]
    RetiredKey,
    /// The key belongs to another project: a forgery under a valid key.
    #[error("foreign_scope")]
    ForeignScope,
    /// Not an envelope.
    #[error("malformed")]
    Malformed,
    /// A version or suite from the future.
    #[error("unknown_version")]
    UnknownVersion,
    /// Sealed for another row, column, owner or database, or its header was altered.
    #[error("not_for_this_row")]
    NotForThisRow,
    /// Its ciphertext or tag was altered.
    #[error("corrupt")]
    Corrupt,
    /// NULL where a cell must be.
    #[error("missing")]
    Missing,
    /// Opens, but not to text.
    #[error("not_text")]
    NotText,
    /// Opens, but the blind index beside it is another value's.
    #[error("index_mismatch")]
    IndexMismatch,
    /// Cannot be sealed: longer than a cell takes, or its scope's key is damaged.
    #[error("cannot_be_sealed")]
    CannotBeSealed,
    /// The policy gives whoever asks no key for this column.
    #[error("not_shared")]
    NotShared,
    /// Opens, but not to the plaintext beside it.
    #[error("differs_from_plaintext")]
    DiffersFromPlaintext,
}

impl From<OpenError> for OpenFailure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Parse(ParseError::Version | ParseError::Suite) => Self::UnknownVersion,
            OpenError::Parse(_) => Self::Malformed,
            OpenError::Commitment => Self::NotForThisRow,
            OpenError::Corrupt | OpenError::Padding => Self::Corrupt,
        }
    }
}
