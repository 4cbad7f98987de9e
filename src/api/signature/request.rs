//! A signed request, as somebody forwards it.

use std::fmt;

use serde::Deserialize;

use super::authorization::{ALGORITHM, Authorization};
use super::headers::Headers;
use super::params::Params;
use super::{Claim, Malformed, limit, version_2, version_4};

/// What a forwarder received, and its word for it. Unknown members are ignored, as Keystone does.
#[derive(Deserialize)]
pub struct SignedRequest {
    pub(super) access: String,
    pub(super) signature: Option<String>,
    pub(super) host: String,
    pub(super) verb: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) params: Params,
    #[serde(default)]
    pub(super) headers: Headers,
    pub(super) body_hash: Option<String>,
}

impl SignedRequest {
    /// The access key whose secret is asked for. Nothing vouches for it before [`Claim::verify`].
    pub fn access(&self) -> &str {
        &self.access
    }

    /// Reads everything that can be read without the secret, and refuses what no secret could make right.
    pub fn claim(&self) -> Result<Claim<'_>, Malformed> {
        limit::check(self)?;
        let version = self.params.one("SignatureVersion")?;
        let authorization =
            self.headers.get("authorization").filter(|value| value.starts_with("AWS4-"));
        let algorithm = self.params.one("X-Amz-Algorithm")?;
        match (version, authorization, algorithm) {
            (Some("0" | "1"), ..) => Err(Malformed::OldVersion),
            (Some("2"), None, None) => version_2::read(self),
            (None | Some("4"), Some(header), None) => {
                version_4::read(self, &Authorization::from_header(header, self)?)
            }
            (None | Some("4"), None, Some(ALGORITHM)) => {
                version_4::read(self, &Authorization::from_params(self)?)
            }
            (None | Some("4"), None, Some(_)) => Err(Malformed::Algorithm),
            (None | Some("2" | "4"), _, Some(_)) | (Some("2"), Some(_), _) => {
                Err(Malformed::Ambiguous)
            }
            _ => Err(Malformed::Version),
        }
    }

    /// The verb as clients sign it; forwarders may give it in any case.
    pub(super) fn signed_verb(&self) -> String {
        self.verb.to_ascii_uppercase()
    }

    /// The signature, which may stand beside the request, in it, or in both.
    pub(super) fn signature<'a>(&'a self, inside: Option<&'a str>) -> Result<&'a str, Malformed> {
        match (self.signature.as_deref(), inside) {
            (Some(beside), Some(inside)) if beside != inside => Err(Malformed::SignatureDiffers),
            (Some(signature), _) | (None, Some(signature)) => Ok(signature),
            (None, None) => Err(Malformed::SignatureMissing),
        }
    }
}

/// Params and headers carry signatures and session tokens; access keys stand in no log.
impl fmt::Debug for SignedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SignedRequest")
            .field("host", &self.host)
            .field("verb", &self.verb)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
