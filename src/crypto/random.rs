//! The one place that asks the system for randomness.

use base64::Engine as _;
use zeroize::Zeroizing;

/// The operating system gave no randomness. Nothing may go on without it.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no randomness: {0}")]
pub struct NoRandomness(getrandom::Error);

/// `N` bytes from the system's generator.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn make_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// A new secret for a credential: 256 random bits, base64url without padding, 43 characters.
pub fn make_token() -> Result<Zeroizing<String>, NoRandomness> {
    let bytes = Zeroizing::new(make_bytes::<32>()?);
    Ok(Zeroizing::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}
