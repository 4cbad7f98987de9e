//! What a request says about itself, and the proof of it.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::Mismatch;
use super::mac::mac;
use super::scope::Scope;

const DOMAIN: &str = "strongroom/aws-signature/1";

/// The version of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Signature Version 2.
    Two,
    /// Signature Version 4.
    Four,
}

/// A request that is well formed. Nothing vouches for it before [`Claim::verify`].
pub struct Claim<'a> {
    pub(super) access: &'a str,
    pub(super) key: Key<'a>,
    pub(super) signature: [u8; 32],
    /// The texts that may have been signed; the signature tells which.
    pub(super) texts: Vec<String>,
    pub(super) signed_at: i64,
    pub(super) expires_at: Option<i64>,
}

/// Which key signs.
pub(super) enum Key<'a> {
    /// The secret itself.
    Version2,
    /// One derived from the secret for a day, region and service.
    Version4(Scope<'a>),
}

/// Names a signed request, whichever way it was spelt. Only [`Claim::verify`] makes one.
///
/// `SHA-256(field(domain) | field(version) | field(access key) | field(text that was signed))`, a field being its length as
/// four big-endian bytes and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Claim<'_> {
    /// The version of the signature.
    pub fn version(&self) -> Version {
        match self.key {
            Key::Version2 => Version::Two,
            Key::Version4(_) => Version::Four,
        }
    }

    /// When the request was signed, by its own account, in seconds since 1970. The caller decides how old is too old, and
    /// how far ahead.
    pub fn signed_at(&self) -> i64 {
        self.signed_at
    }

    /// From when on the request is not to be taken, where it says so: a presigned one, or `Expires` of Version 2. It may
    /// shorten the caller's patience; that it should lengthen it is the caller's decision.
    pub fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }

    /// Compares the signature with the one that `secret` makes, in constant time. An empty secret makes none.
    pub fn verify(&self, secret: &str) -> Result<Fingerprint, Mismatch> {
        if secret.is_empty() {
            return Err(Mismatch);
        }
        let key = match &self.key {
            Key::Version2 => Zeroizing::new(secret.as_bytes().to_vec()),
            Key::Version4(scope) => scope.signing_key(secret),
        };
        let signed = |text: &&String| bool::from(mac(&key, text).ct_eq(&self.signature));
        self.texts.iter().find(signed).map(|text| self.fingerprint(text)).ok_or(Mismatch)
    }

    fn fingerprint(&self, text: &str) -> Fingerprint {
        let version = match self.version() {
            Version::Two => "2",
            Version::Four => "4",
        };
        let mut hash = Sha256::new();
        for field in [DOMAIN, version, self.access, text] {
            hash.update(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(field);
        }
        Fingerprint(hash.finalize().into())
    }
}

impl Fingerprint {
    /// The 32 bytes, for a memory of requests. They tell nothing about the secret.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The signed texts carry params.
impl fmt::Debug for Claim<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Claim")
            .field("version", &self.version())
            .field("signed_at", &self.signed_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
