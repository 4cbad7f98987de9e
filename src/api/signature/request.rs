//! A signed request, as somebody forwards it.

use std::fmt;

use serde::Deserialize;

use super::Malformed;
use super::headers::Headers;
use super::params::Params;

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
    /// Returns the access key that the caller claims. It is unverified until [`Claim::verify`](super::Claim::verify).
    pub fn access(&self) -> &str {
        &self.access
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
