//! Reads what a request claims, by the version of its signature.

use super::authorization::{ALGORITHM, Authorization};
use super::{Claim, Malformed, SignedRequest, limit, version_2, version_4};

impl SignedRequest {
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
}
