//! What a request may measure and be spelt with.
//!
//! The text that is signed consists of lines: a line break in a field would let one request stand for another.

use super::{Malformed, SignedRequest};

pub(super) const NAME: usize = 255;
const HOST: usize = 262;
const VERB: usize = 16;
const PATH: usize = 8 << 10;
const PARAM_COUNT: usize = 1024;
const PARAM_BYTES: usize = 256 << 10;
const HEADER_COUNT: usize = 128;
const HEADER_BYTES: usize = 64 << 10;

pub(super) fn check(request: &SignedRequest) -> Result<(), Malformed> {
    params(request)?;
    headers(request)?;
    if !spelt(&request.access, NAME, |byte| byte.is_ascii_graphic()) {
        return Err(Malformed::Access);
    }
    if !spelt(&request.host, HOST, |byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
    {
        return Err(Malformed::Host);
    }
    if !spelt(&request.verb, VERB, |byte| byte.is_ascii_alphabetic()) {
        return Err(Malformed::Verb);
    }
    let raw = |letter: char| !letter.is_control() && letter != '?' && letter != '#';
    if request.path.len() > PATH || !request.path.starts_with('/') || !request.path.chars().all(raw)
    {
        return Err(Malformed::Path);
    }
    Ok(())
}

/// Whether `text` is neither empty nor too long, and every byte of it is `allowed`.
pub(super) fn spelt(text: &str, longest: usize, allowed: impl Fn(u8) -> bool) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(allowed)
}

fn params(request: &SignedRequest) -> Result<(), Malformed> {
    let count = request.params.pairs().count();
    let bytes: usize = request.params.pairs().map(|(name, value)| name.len() + value.len()).sum();
    (count <= PARAM_COUNT && bytes <= PARAM_BYTES).then_some(()).ok_or(Malformed::TooManyParams)
}

fn headers(request: &SignedRequest) -> Result<(), Malformed> {
    let count = request.headers.iter().count();
    let bytes: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    (count <= HEADER_COUNT && bytes <= HEADER_BYTES).then_some(()).ok_or(Malformed::TooManyHeaders)
}
