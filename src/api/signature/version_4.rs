//! Signature Version 4, in the header `Authorization` or in the params of a presigned request.
//!
//! ```text
//! request   = verb, path, query, a line per signed header and an empty one, names of signed headers, body hash
//! text      = "AWS4-HMAC-SHA256", date, scope, hex(SHA-256(request))
//! signature = HMAC-SHA256(key of the scope, text), a part to a line
//! ```

use sha2::{Digest as _, Sha256};

use super::authorization::{ALGORITHM, Authorization};
use super::claim::Key;
use super::scope::Scope;
use super::{Claim, Malformed, SignedRequest, canonical, moment};

const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) fn read<'a>(request: &'a SignedRequest, authorization: &Authorization<'a>) -> Result<Claim<'a>, Malformed> {
    let (access, scope) = Scope::parse(authorization.credential)?;
    if access != request.access {
        return Err(Malformed::AccessDiffers);
    }
    let signed_at = moment::compact(authorization.date)?;
    if !authorization.date.starts_with(scope.day) {
        return Err(Malformed::DateDiffers);
    }
    let signature = signature_bytes(request.signature(authorization.signature)?)?;
    let headers = signed_headers(request, authorization.signed_headers)?;
    let names = authorization.signed_headers;
    let hash = body_hash(request)?;
    let text = |query: String| {
        let SignedRequest { verb, path, .. } = request;
        let canonical = format!("{verb}\n{path}\n{query}\n{headers}\n{names}\n{hash}");
        format!("{ALGORITHM}\n{}\n{scope}\n{}", authorization.date, hex::encode(Sha256::digest(canonical)))
    };
    let texts = queries(request, authorization).into_iter().map(text).collect();
    let expires_at = authorization.life.map(|life| signed_at + life);
    Ok(Claim { access: &request.access, key: Key::Version4(scope), signature, texts, signed_at, expires_at })
}

/// Exactly 64 lowercase digits, so that a signature has one spelling.
fn signature_bytes(text: &str) -> Result<[u8; 32], Malformed> {
    let mut bytes = [0; 32];
    if !is_digest(text) || hex::decode_to_slice(text, &mut bytes).is_err() {
        return Err(Malformed::Signature);
    }
    Ok(bytes)
}

/// A line for every signed header. They are lowercase and sorted, the host is among them, and nothing whose name begins
/// with `x-amz-` is left out: such a header says what the request does.
fn signed_headers(request: &SignedRequest, names: &str) -> Result<String, Malformed> {
    let names: Vec<&str> = names.split(';').collect();
    let spelt = |name: &&str| !name.is_empty() && name.bytes().all(is_name_byte);
    if !names.iter().all(spelt) || !names.is_sorted_by(|left, right| left < right) {
        return Err(Malformed::SignedHeaders);
    }
    if !names.contains(&"host") {
        return Err(Malformed::HostUnsigned);
    }
    let lines = names.iter().map(|name| Ok(format!("{name}:{}\n", header(request, name)?))).collect::<Result<_, _>>()?;
    if request.headers.iter().any(|(name, _)| name.starts_with("x-amz-") && !names.contains(&name)) {
        return Err(Malformed::HeaderUnsigned);
    }
    Ok(lines)
}

fn header(request: &SignedRequest, name: &str) -> Result<String, Malformed> {
    let given = request.headers.get(name).map(|value| canonical::header_value(value).ok_or(Malformed::HeaderValue));
    match (name, given.transpose()?) {
        ("host", None) => Ok(request.host.clone()),
        ("host", Some(host)) if !host.eq_ignore_ascii_case(&request.host) => Err(Malformed::HostDiffers),
        (_, Some(value)) => Ok(value),
        (_, None) => Err(Malformed::HeaderMissing),
    }
}

/// What of RFC 9110's names a client may sign, in lowercase.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Where the header stands in for the forwarder, [`signed_headers`] saw to it that it is signed.
fn body_hash(request: &SignedRequest) -> Result<&str, Malformed> {
    let hash = request.body_hash.as_deref().or(request.headers.get("x-amz-content-sha256")).unwrap_or(EMPTY_HASH);
    let word = hash == "UNSIGNED-PAYLOAD" || hash.starts_with("STREAMING-");
    let spelt = hash.len() <= 64 && hash.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    (is_digest(hash) || (word && spelt)).then_some(hash).ok_or(Malformed::BodyHash)
}

/// The params as a query. Those of a POST may instead have come in the body, if the forwarder hashed one: then the query
/// was empty. Which of both it was the signature tells. A presigned request is signed in its query by definition.
fn queries(request: &SignedRequest, authorization: &Authorization<'_>) -> Vec<String> {
    let presigned = authorization.life.is_some();
    let pairs = request.params.pairs().filter(|(name, _)| !presigned || *name != "X-Amz-Signature");
    let mut pairs = canonical::encoded(pairs);
    pairs.sort_unstable();
    let mut queries = vec![canonical::joined(&pairs)];
    let body = request.body_hash.as_deref().is_some_and(|hash| is_digest(hash) && hash != EMPTY_HASH);
    if request.verb == "POST" && body && !presigned && !request.params.is_empty() {
        queries.push(String::new());
    }
    queries
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
