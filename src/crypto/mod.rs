//! Sealing, wrapping and blind indexing, and nothing else.
//!
//! Promises: only RFC primitives (HKDF-SHA256, RFC 5869; ChaCha20-Poly1305, RFC 8439; HMAC, RFC 2104;
//! Argon2id, RFC 9106),
//! composed so that `examples/open_cell.py` can open a cell in a hundred lines of another language.
//! A cell opens only in the database, column and row, and under the owner, that it was sealed for.
//!
//! Refuses: unknown versions and suites, non-zero reserved bytes, non-canonical padding.
//!
//! Does not promise: that an older cell of the *same* row is noticed when it is put back, nor that
//! the length class of a value is hidden.
//!
//! The primitives are called on one of two paths, `fast` or `stock`. Both seal the same bytes; the feature `stock-crypto` chooses.
//!
//! This module imports no other module of the library, and uses no clock, database or configuration.

mod cell;
mod context;
mod database_password;
mod envelope;
mod expanded;
#[cfg(any(not(feature = "stock-crypto"), test))]
mod fast;
mod id;
mod index;
mod key;
#[cfg(test)]
mod known_answers;
mod manifest;
mod pad;
mod passphrase;
#[cfg(test)]
mod paths;
mod random;
#[cfg(any(feature = "stock-crypto", test))]
mod stock;
mod wiped;
mod wrap;

#[cfg(not(feature = "stock-crypto"))]
use fast as primitive;
#[cfg(feature = "stock-crypto")]
use stock as primitive;

pub use cell::{OpenError, Opened, SealError, open_cell, seal_cell};
pub use context::{Context, Value};
pub use database_password::DatabasePassword;
pub(crate) use envelope::KEY_ID_OFFSET;
pub use envelope::{Envelope, ParseError};
pub use id::{KeyId, RingId};
pub use index::{BLIND_INDEX_LENGTH, blind_index};
pub use key::{ColumnIndexKey, ColumnKey, DataKey, IndexKey, ManifestKey, RootKey, WeakKey};
pub use manifest::{
    audit_mac, epoch_mac, manifest_mac, policy_mac, verify_audit_mac, verify_epoch_mac,
    verify_manifest_mac, verify_policy_mac,
};
pub use pad::MAXIMUM_PLAINTEXT;
pub use passphrase::{PassphraseCost, PassphraseError, SealedRoot, open_root, seal_root};
pub use random::{NoRandomness, make_bytes, make_token};
pub use wrap::{Purpose, WrappedKeyLabel, unwrap_key, wrap_key};
