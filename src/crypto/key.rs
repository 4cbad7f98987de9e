//! One type per kind of key, and the derivations between them.
//!
//! No key can be printed, cloned, compared or serialised:
//!
//! ```compile_fail
//! fn print(key: strongroom::crypto::RootKey) { println!("{key:?}"); }
//! ```
//! ```compile_fail
//! fn copy(key: &strongroom::crypto::DataKey) -> strongroom::crypto::DataKey { key.clone() }
//! ```
//! ```compile_fail
//! fn store(key: &strongroom::crypto::IndexKey) -> String { serde_json::to_string(key).unwrap() }
//! ```

use hkdf::Hkdf;
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::RingId;
use super::context::label_length;
use super::primitive::{ExpandKey, HmacKey};
use super::random::{NoRandomness, make_bytes};

type Secret = SecretBox<[u8; 32]>;

/// A key that protects nothing: every byte the same, as an empty or default setting gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is a known default: every byte of it is the same")]
pub struct WeakKey;

/// Wraps data keys. Comes from a key source and is never stored in the clear.
pub struct RootKey(Secret);

/// Seals the cells of one scope in one generation. Stored wrapped.
pub struct DataKey(pub(super) Secret);

/// Makes blind indexes; a lineage of its own, so that rolling data keys re-indexes nothing.
pub struct IndexKey(pub(super) Secret);

/// Authenticates the manifest.
pub struct ManifestKey(pub(super) Secret);

/// A data key narrowed to one column of one ring: all that a reader of that column needs.
///
/// Kept as HMAC's state under it, so that a cell costs none of the setting up; the state is wiped when dropped, and is on
/// the heap, so that it is not copied about.
pub struct ColumnKey(Box<ExpandKey>);

/// What wraps keys: a root narrowed to one ring, or a passphrase stretched. It seals no cell. Kept as a [`ColumnKey`] is.
pub(super) struct WrappingKey(Box<ExpandKey>);

/// An index key narrowed to one column of one ring. Kept as a [`ColumnKey`] is.
pub struct ColumnIndexKey(Box<HmacKey>);

impl RootKey {
    /// A new random root key.
    pub fn make() -> Result<Self, NoRandomness> {
        Ok(Self(SecretBox::new(Box::new(make_bytes()?))))
    }

    /// Takes the bytes of a key source, refusing known defaults.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, WeakKey> {
        if bytes.iter().all(|byte| byte == &bytes[0]) {
            return Err(WeakKey);
        }
        Ok(Self(SecretBox::new(Box::new(*bytes))))
    }

    /// Which root this is; public. A ring names the root that it needs, so none is found by trying.
    pub fn id(&self) -> [u8; 16] {
        let expanded = ExpandKey::new(self.0.expose_secret()).expand(&[b"strongroom/root-id/1"]);
        let (ids, _) = expanded.first.as_chunks();
        *ids.first().unwrap_or_else(|| unreachable!("it is 32 bytes"))
    }

    /// The 32 bytes themselves, for a key source to write down.
    pub fn dangerous_expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    pub(super) fn wrapping(&self, ring: &RingId) -> WrappingKey {
        WrappingKey::from_secret(&extract("strongroom/root-key/1", ring, "strongroom.key", &self.0))
    }
}

impl DataKey {
    /// The sub-key of one column: HKDF-Extract under the ring's id and the column's label.
    pub fn column(&self, ring: &RingId, label: &str) -> ColumnKey {
        ColumnKey::from_secret(&extract("strongroom/data-key/1", ring, label, &self.0))
    }
}

impl IndexKey {
    /// The sub-key of one column's blind index.
    pub fn column(&self, ring: &RingId, label: &str) -> ColumnIndexKey {
        let key = extract("strongroom/index-key/1", ring, label, &self.0);
        ColumnIndexKey(Box::new(HmacKey::new(key.expose_secret())))
    }
}

impl ColumnKey {
    fn from_secret(prk: &Secret) -> Self {
        Self(Box::new(ExpandKey::new(prk.expose_secret())))
    }

    pub(super) fn expand_key(&self) -> &ExpandKey {
        &self.0
    }
}

impl WrappingKey {
    pub(super) fn from_secret(prk: &Secret) -> Self {
        Self(Box::new(ExpandKey::new(prk.expose_secret())))
    }

    pub(super) fn expand_key(&self) -> &ExpandKey {
        &self.0
    }
}

impl ColumnIndexKey {
    pub(super) fn hmac(&self) -> &HmacKey {
        &self.0
    }
}

/// Makes and takes what lives wrapped in the ring: keys of 32 bytes, and passwords.
pub(super) trait RingKey: Sized {
    /// Returns none for bytes of the wrong form.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
    fn bytes(&self) -> &[u8];
}

macro_rules! ring_key {
    ($($key:ident),*) => {$(
        impl RingKey for $key {
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let bytes: &[u8; 32] = bytes.try_into().ok()?;
                Some(Self(SecretBox::new(Box::new(*bytes))))
            }
            fn bytes(&self) -> &[u8] { self.0.expose_secret() }
        }
        impl $key {
            /// A new random key.
            pub fn make() -> Result<Self, NoRandomness> {
                Ok(Self(SecretBox::new(Box::new(make_bytes()?))))
            }
        }
    )*};
}
ring_key!(DataKey, IndexKey, ManifestKey);

/// `HKDF-Extract(salt = domain | ring id | u16 label length | label, ikm = key)`.
pub(super) fn extract(domain: &str, ring: &RingId, label: &str, key: &Secret) -> Secret {
    let mut salt = Vec::with_capacity(128);
    salt.extend_from_slice(domain.as_bytes());
    salt.extend_from_slice(ring.as_bytes());
    salt.extend_from_slice(&label_length(label));
    salt.extend_from_slice(label.as_bytes());
    let (prk, _) = Hkdf::<Sha256>::extract(Some(&salt), key.expose_secret());
    let prk = Zeroizing::new(<[u8; 32]>::from(prk));
    SecretBox::new(Box::new(*prk))
}
