//! Where a Version 4 request says how it is signed: the header `Authorization`, or the params of a presigned one.

use super::{Malformed, SignedRequest};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Seven days, the longest that AWS lets a presigned request live.
const LONGEST_LIFE: i64 = 604_800;

pub(super) struct Authorization<'a> {
    pub(super) credential: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) signature: Option<&'a str>,
    pub(super) date: &'a str,
    /// How long a presigned request lives, in seconds; none for the header.
    pub(super) life: Option<i64>,
}

impl<'a> Authorization<'a> {
    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, in any order.
    pub(super) fn from_header(
        header: &'a str,
        request: &'a SignedRequest,
    ) -> Result<Self, Malformed> {
        let (algorithm, parts) = header.split_once(' ').ok_or(Malformed::Authorization)?;
        if algorithm != ALGORITHM {
            return Err(Malformed::Algorithm);
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in parts.split(',') {
            let (name, value) =
                part.trim_matches(' ').split_once('=').ok_or(Malformed::Authorization)?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(Malformed::Authorization),
            };
            if place.replace(value).is_some() {
                return Err(Malformed::Authorization);
            }
        }
        Ok(Self {
            credential: credential.ok_or(Malformed::Authorization)?,
            signed_headers: signed_headers.ok_or(Malformed::Authorization)?,
            signature,
            date: request.headers.get("x-amz-date").ok_or(Malformed::TimestampMissing)?,
            life: None,
        })
    }

    pub(super) fn from_params(request: &'a SignedRequest) -> Result<Self, Malformed> {
        let params = &request.params;
        Ok(Self {
            credential: params.one("X-Amz-Credential")?.ok_or(Malformed::Authorization)?,
            signed_headers: params.one("X-Amz-SignedHeaders")?.ok_or(Malformed::Authorization)?,
            signature: params.one("X-Amz-Signature")?,
            date: params.one("X-Amz-Date")?.ok_or(Malformed::TimestampMissing)?,
            life: Some(life(params.one("X-Amz-Expires")?.ok_or(Malformed::Expires)?)?),
        })
    }
}

/// A plain number of seconds: no sign, no leading zero.
fn life(text: &str) -> Result<i64, Malformed> {
    let seconds = text.parse().map_err(|_| Malformed::Expires)?;
    let plain = text.starts_with(|first: char| matches!(first, '1'..='9'));
    (plain && (1..=LONGEST_LIFE).contains(&seconds)).then_some(seconds).ok_or(Malformed::Expires)
}
