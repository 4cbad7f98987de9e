//! Signature Version 2: `HMAC-SHA256(secret, verb | host | path | sorted params)`, a part to a line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::claim::Key;
use super::path::candidates_of_version_2;
use super::{Claim, Malformed, SignedRequest, canonical, moment};

pub(super) fn read(request: &SignedRequest) -> Result<Claim<'_>, Malformed> {
    let params = &request.params;
    if params.one("SignatureMethod")? != Some("HmacSHA256") {
        return Err(Malformed::Method);
    }
    if params.one("AWSAccessKeyId")?.is_some_and(|access| access != request.access) {
        return Err(Malformed::AccessDiffers);
    }
    let signed_at = moment::iso_8601(params.one("Timestamp")?.ok_or(Malformed::TimestampMissing)?)?;
    let expires_at =
        params.one("Expires")?.map(moment::iso_8601).transpose().map_err(|_| Malformed::Expires)?;
    let signature = signature_bytes(request.signature(params.one("Signature")?)?)?;
    Ok(Claim {
        access: &request.access,
        key: Key::Version2,
        signature,
        texts: texts(request),
        signed_at,
        expires_at,
    })
}

/// Strict base64, so that a signature has one spelling.
fn signature_bytes(text: &str) -> Result<[u8; 32], Malformed> {
    let bytes = STANDARD.decode(text).map_err(|_| Malformed::Signature)?;
    bytes.try_into().map_err(|_| Malformed::Signature)
}

/// With the host as it came, and, if it names a port, without: some clients do not sign it, and Keystone accepts both.
fn texts(request: &SignedRequest) -> Vec<String> {
    let (verb, paths) = (request.signed_verb(), candidates_of_version_2(&request.path));
    let host = request.host.to_ascii_lowercase();
    let pairs = request.params.pairs().filter(|(name, _)| *name != "Signature");
    let query = canonical::joined(&canonical::encoded(pairs));
    let hosts = [Some(host.as_str()), without_port(&host)];
    let of_host = |host| {
        paths.iter().map(|path| format!("{verb}\n{host}\n{path}\n{query}")).collect::<Vec<_>>()
    };
    hosts.into_iter().flatten().flat_map(of_host).collect()
}

/// The host of `host:port` or `[v6]:port`.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = host.rsplit_once(':')?;
    let numbered = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let whole = !name.is_empty() && (!name.contains(':') || name.ends_with(']'));
    (numbered && whole).then_some(name)
}
