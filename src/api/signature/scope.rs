//! The scope of a Version 4 signature: `access key/day/region/service/aws4_request`.

use std::fmt;

use zeroize::Zeroizing;

use super::Malformed;
use super::limit::{NAME, spelt};
use super::mac::mac;

const TERMINATOR: &str = "aws4_request";

/// A credential's scope, as the signed text ends its third line.
pub(super) struct Scope<'a> {
    pub(super) day: &'a str,
    region: &'a str,
    pub(super) service: &'a str,
}

impl<'a> Scope<'a> {
    /// The access key, which may hold a slash itself, and the scope.
    pub(super) fn parse(credential: &'a str) -> Result<(&'a str, Self), Malformed> {
        let mut parts = credential.rsplitn(5, '/');
        let (Some(TERMINATOR), Some(service), Some(region), Some(day), Some(access)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Malformed::Scope);
        };
        let named =
            [service, region].iter().all(|name| spelt(name, NAME, |byte| byte.is_ascii_graphic()));
        let dated = day.len() == 8 && spelt(day, 8, |byte| byte.is_ascii_digit());
        (named && dated).then_some((access, Self { day, region, service })).ok_or(Malformed::Scope)
    }

    /// The key of the day, then of the region, then of the service, then of requests.
    pub(super) fn signing_key(&self, secret: &str) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
        key.extend_from_slice(b"AWS4");
        key.extend_from_slice(secret.as_bytes());
        for part in [self.day, self.region, self.service, TERMINATOR] {
            let next = Zeroizing::new(mac(&key, part));
            key = Zeroizing::new(next.to_vec());
        }
        key
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}/{TERMINATOR}", self.day, self.region, self.service)
    }
}
