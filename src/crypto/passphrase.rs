//! A root key under a passphrase.
//!
//! ```text
//! key     = Argon2id(passphrase, salt, memory, passes, lanes), 32 bytes        RFC 9106
//! okm     = HKDF-Expand(key, "strongroom/root-wrap/1" | header[0..8] | cell salt | context)
//! context = SHA-256(TLV("strongroom/passphrase-context/1"), "memory", "passes", "lanes", "salt")
//! ```
//! From there on the construction is that of a cell, with key id 1.
//!
//! Does not promise: anything for a passphrase that can be guessed.

use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::SecretBox;
use zeroize::Zeroizing;

use super::cell::{UseLabel, open_with, seal_with};
use super::context::{List, Value};
use super::key::WrappingKey;
use super::random::{NoRandomness, make_bytes};
use super::{Context, KeyId, OpenError, RootKey, SealError, WeakKey};

const ROOT_WRAP: UseLabel = UseLabel::new(b"strongroom/root-wrap/1");

/// What a guess costs. Read from outside, so it is bounded before any memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseCost {
    /// KiB; at most 256 MiB.
    pub memory: u32,
    /// At most 10.
    pub passes: u32,
    /// At most 8.
    pub lanes: u32,
}

impl PassphraseCost {
    /// 64 MiB, three passes, four lanes: the second recommendation of RFC 9106, section 4.
    pub const RECOMMENDED: Self = Self { memory: 64 * 1024, passes: 3, lanes: 4 };
    const LARGEST: Self = Self { memory: 256 * 1024, passes: 10, lanes: 8 };

    fn parameters(self) -> Result<Params, PassphraseError> {
        let most = Self::LARGEST;
        if self.memory > most.memory || self.passes > most.passes || self.lanes > most.lanes {
            return Err(PassphraseError::Cost);
        }
        Params::new(self.memory, self.passes, self.lanes, Some(32))
            .map_err(|_| PassphraseError::Cost)
    }
}

/// A root key sealed under a passphrase, with what is needed to open it again. Not secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRoot {
    /// What a guess costs.
    pub cost: PassphraseCost,
    /// Random.
    pub salt: [u8; 16],
    /// The sealed root.
    pub envelope: Vec<u8>,
}

/// Why a root was not sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Beyond the bounds, or less than Argon2 can do with.
    #[error("the cost of the passphrase is out of bounds")]
    Cost,
    /// Another passphrase, or something was altered: there is no telling which.
    #[error("the passphrase does not open the sealed root")]
    Wrong(#[from] OpenError),
    /// See [`WeakKey`].
    #[error(transparent)]
    Weak(#[from] WeakKey),
    /// See [`SealError`].
    #[error(transparent)]
    Seal(#[from] SealError),
    /// See [`NoRandomness`].
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Seals a root under a passphrase. Takes as long as [`open_root`].
pub fn seal_root(
    root: &RootKey,
    passphrase: &[u8],
    cost: PassphraseCost,
) -> Result<SealedRoot, PassphraseError> {
    let salt = make_bytes()?;
    let key = stretch(passphrase, cost, &salt)?;
    let envelope = seal_with(
        ROOT_WRAP,
        key.expand_key(),
        KeyId::new(1),
        &context(cost, &salt),
        root.dangerous_expose(),
        &make_bytes()?,
    )?;
    Ok(SealedRoot { cost, salt, envelope })
}

/// Opens what [`seal_root`] made. Takes a fraction of a second and the memory that the cost says: keep it
/// away from async threads.
pub fn open_root(sealed: &SealedRoot, passphrase: &[u8]) -> Result<RootKey, PassphraseError> {
    let key = stretch(passphrase, sealed.cost, &sealed.salt)?;
    let opened = open_with(
        ROOT_WRAP,
        key.expand_key(),
        &context(sealed.cost, &sealed.salt),
        &sealed.envelope,
    )?;
    let bytes: &[u8; 32] = opened.as_bytes().try_into().map_err(|_| OpenError::Padding)?;
    Ok(RootKey::from_bytes(bytes)?)
}

fn stretch(
    passphrase: &[u8],
    cost: PassphraseCost,
    salt: &[u8; 16],
) -> Result<WrappingKey, PassphraseError> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.parameters()?);
    let mut key = Zeroizing::new([0; 32]);
    argon2.hash_password_into(passphrase, salt, &mut *key).map_err(|_| PassphraseError::Cost)?;
    Ok(WrappingKey::from_secret(&SecretBox::new(Box::new(*key))))
}

fn context(cost: PassphraseCost, salt: &[u8; 16]) -> Context {
    List::new("strongroom/passphrase-context/1")
        .with("memory", &Value::Integer(cost.memory.into()))
        .with("passes", &Value::Integer(cost.passes.into()))
        .with("lanes", &Value::Integer(cost.lanes.into()))
        .with("salt", &salt.as_slice().into())
        .context()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PassphraseCost = PassphraseCost { memory: 64, passes: 1, lanes: 1 };

    #[test]
    fn only_the_passphrase_opens() {
        let root = RootKey::make().unwrap();
        let sealed = seal_root(&root, b"correct horse", CHEAP).unwrap();
        assert_eq!(open_root(&sealed, b"correct horse").unwrap().id(), root.id());
        assert!(matches!(open_root(&sealed, b"correct horse "), Err(PassphraseError::Wrong(_))));
    }

    #[test]
    fn nothing_about_it_can_be_altered() {
        let sealed = seal_root(&RootKey::make().unwrap(), b"p", CHEAP).unwrap();
        let dearer = SealedRoot { cost: PassphraseCost { passes: 2, ..CHEAP }, ..sealed.clone() };
        let mut salted = sealed.clone();
        salted.salt[0] ^= 1;
        for altered in [dearer, salted] {
            assert!(matches!(open_root(&altered, b"p"), Err(PassphraseError::Wrong(_))));
        }
    }

    #[test]
    fn a_cost_beyond_the_bounds_takes_no_memory() {
        for cost in [
            PassphraseCost { memory: u32::MAX, ..CHEAP },
            PassphraseCost { passes: 11, ..CHEAP },
            PassphraseCost { lanes: 9, ..CHEAP },
            PassphraseCost { memory: 0, ..CHEAP },
        ] {
            assert!(
                matches!(
                    seal_root(&RootKey::make().unwrap(), b"p", cost),
                    Err(PassphraseError::Cost)
                ),
                "{cost:?}"
            );
        }
    }
}
