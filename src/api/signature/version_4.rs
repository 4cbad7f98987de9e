//! Signature Version 4, in the header `Authorization` or in the params of a presigned request.
//!
//! ```text
//! request   = verb, path, query, a line per signed header and an empty one, names of signed headers, body hash
//! text      = "AWS4-HMAC-SHA256", date, scope, hex(SHA-256(request))
//! signature = HMAC-SHA256(key of the scope, text), a part to a line
//! ```

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::authorization::{ALGORITHM, Authorization};
use super::claim::Key;
use super::path::{self, is_s3};
use super::payload::{self, EMPTY_HASH, Signing, is_digest};
use super::scope::Scope;
use super::{Claim, Malformed, SignedRequest, canonical, moment};

pub(super) fn read<'a>(
    request: &'a SignedRequest,
    authorization: &Authorization<'a>,
) -> Result<Claim<'a>, Malformed> {
    let (access, scope) = Scope::parse(authorization.credential)?;
    if access != request.access {
        return Err(Malformed::AccessDiffers);
    }
    let signed_at = moment::compact(authorization.date)?;
    if !authorization.date.starts_with(scope.day) {
        return Err(Malformed::DateDiffers);
    }
    let signature = signature_bytes(request.signature(authorization.signature)?)?;
    let names: Vec<&str> = authorization.signed_headers.split(';').collect();
    let signing = Signing {
        names: &names,
        presigned: authorization.life.is_some(),
        s3: is_s3(scope.service),
    };
    let end = format!("{}\n{}", signed_headers(request, signing)?, authorization.signed_headers);
    let hashes = payload::candidates(request, signing)?;
    let head = format!("{ALGORITHM}\n{}\n{scope}", authorization.date);
    let texts = hashes
        .into_iter()
        .flat_map(|hash| texts(request, signing, &scope, (&head, &end, hash)))
        .collect();
    let expires_at = authorization.life.map(|life| signed_at + life);
    Ok(Claim {
        access: &request.access,
        key: Key::Version4(scope),
        signature,
        texts,
        signed_at,
        expires_at,
    })
}

/// Returns a text for every path and query that the client may have signed with this body hash.
fn texts(
    request: &SignedRequest,
    signing: Signing<'_>,
    scope: &Scope<'_>,
    (head, end, hash): (&str, &str, &str),
) -> Vec<String> {
    let (verb, paths) = (request.signed_verb(), path::candidates(&request.path, scope.service));
    let text = |query: &String| {
        let of_path = |path: &Cow<'_, str>| {
            let canonical = Sha256::digest(format!("{verb}\n{path}\n{query}\n{end}\n{hash}"));
            format!("{head}\n{}", hex::encode(canonical))
        };
        paths.iter().map(of_path).collect::<Vec<_>>()
    };
    queries(request, signing, hash).iter().flat_map(text).collect()
}

/// Exactly 64 lowercase digits, so that a signature has one spelling.
fn signature_bytes(text: &str) -> Result<[u8; 32], Malformed> {
    let mut bytes = [0; 32];
    if !is_digest(text) || hex::decode_to_slice(text, &mut bytes).is_err() {
        return Err(Malformed::Signature);
    }
    Ok(bytes)
}

/// Returns a line for every signed header. They are lowercase and sorted, the host is among them, and no header whose name
/// begins with `x-amz-` is left out, because it says what the request does ([`Signing::may_be_unsigned`] has the exception).
fn signed_headers(request: &SignedRequest, signing: Signing<'_>) -> Result<String, Malformed> {
    let names = signing.names;
    let spelt = |name: &&str| !name.is_empty() && name.bytes().all(is_name_byte);
    if !names.iter().all(spelt) || !names.is_sorted_by(|left, right| left < right) {
        return Err(Malformed::SignedHeaders);
    }
    if !names.contains(&"host") {
        return Err(Malformed::HostUnsigned);
    }
    let lines = names
        .iter()
        .map(|name| Ok(format!("{name}:{}\n", header(request, name)?)))
        .collect::<Result<_, _>>()?;
    if request
        .headers
        .iter()
        .any(|(name, _)| !signing.may_be_unsigned(name) && !names.contains(&name))
    {
        return Err(Malformed::HeaderUnsigned);
    }
    Ok(lines)
}

fn header(request: &SignedRequest, name: &str) -> Result<String, Malformed> {
    let given = request
        .headers
        .get(name)
        .map(|value| canonical::header_value(value).ok_or(Malformed::HeaderValue));
    match (name, given.transpose()?) {
        ("host", None) => Ok(request.host.clone()),
        ("host", Some(host)) if !host.eq_ignore_ascii_case(&request.host) => {
            Err(Malformed::HostDiffers)
        }
        (_, Some(value)) => Ok(value),
        (_, None) => Err(Malformed::HeaderMissing),
    }
}

/// What of RFC 9110's names a client may sign, in lowercase.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The params as a query. Those of a POST may instead have come in the body, if the forwarder hashed one and that hash is
/// what was signed: then the query was empty. Which of both it was the signature tells. A presigned request is signed in its
/// query by definition.
fn queries(request: &SignedRequest, signing: Signing<'_>, hash: &str) -> Vec<String> {
    let pairs =
        request.params.pairs().filter(|(name, _)| !signing.presigned || *name != "X-Amz-Signature");
    let mut pairs = canonical::encoded(pairs);
    pairs.sort_unstable();
    let mut queries = vec![canonical::joined(&pairs)];
    let covers_body =
        is_digest(hash) && hash != EMPTY_HASH && request.body_hash.as_deref() == Some(hash);
    if request.verb.eq_ignore_ascii_case("POST")
        && covers_body
        && !signing.presigned
        && !request.params.is_empty()
    {
        queries.push(String::new());
    }
    queries
}
