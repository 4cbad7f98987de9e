//! The last line of a Version 4 request: the hash of its body, or a word for its absence.

use super::{Malformed, SignedRequest};

pub(super) const EMPTY_HASH: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const HEADER: &str = "x-amz-content-sha256";
const PARAM: &str = "X-Amz-Content-Sha256";

/// How a request is signed, as far as its body goes.
#[derive(Clone, Copy)]
pub(super) struct Signing<'a> {
    /// The names of the signed headers.
    pub(super) names: &'a [&'a str],
    pub(super) presigned: bool,
    pub(super) s3: bool,
}

impl Signing<'_> {
    /// Whether a header may be there without being signed. A presigned request says in its query what it does; clients send
    /// the hash of the body with it all the same.
    pub(super) fn may_be_unsigned(self, name: &str) -> bool {
        !name.starts_with("x-amz-") || (self.presigned && name == HEADER)
    }
}

/// Returns the last lines that the client may have signed; the signature tells which.
pub(super) fn candidates<'a>(
    request: &'a SignedRequest,
    signing: Signing<'_>,
) -> Result<Vec<&'a str>, Malformed> {
    let (given, signed) = (request.body_hash.as_deref(), signed(request, signing)?);
    for hash in [given, signed].into_iter().flatten() {
        checked(hash)?;
    }
    Ok(match (given, signed) {
        // The signature does not cover the body, so its hash is no matter.
        (_, Some(signed)) if !is_digest(signed) => vec![signed],
        (Some(given), None) if signing.presigned && signing.s3 && is_digest(given) => {
            vec![UNSIGNED, given]
        }
        (Some(given), _) => vec![given],
        (None, Some(signed)) => vec![signed],
        (None, None) if signing.presigned && signing.s3 => vec![UNSIGNED, EMPTY_HASH],
        (None, None) => vec![EMPTY_HASH],
    })
}

/// What the client itself says about its body, where the signature covers that.
fn signed<'a>(
    request: &'a SignedRequest,
    signing: Signing<'_>,
) -> Result<Option<&'a str>, Malformed> {
    let header =
        request.headers.get(HEADER).filter(|_| signing.names.contains(&HEADER)).map(str::trim);
    let param = if signing.presigned { request.params.one(PARAM)? } else { None };
    match (header, param) {
        (Some(header), Some(param)) if header != param => Err(Malformed::BodyHash),
        (header, param) => Ok(header.or(param)),
    }
}

fn checked(hash: &str) -> Result<(), Malformed> {
    let word = hash == UNSIGNED || hash.starts_with("STREAMING-");
    let spelt = hash.len() <= 64
        && hash
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    (is_digest(hash) || (word && spelt)).then_some(()).ok_or(Malformed::BodyHash)
}

pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
