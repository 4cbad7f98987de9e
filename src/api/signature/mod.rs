//! AWS signatures, Version 2 and 4, checked for somebody who received a signed request and forwards its parts, in the form
//! that Keystone's `POST /v3/ec2tokens` takes.
//!
//! Promises: a [`Fingerprint`] exists only for a request whose signature is right under the secret; it is the same for every
//! spelling of one signed request, so whoever stores it notices a replay. The access key, date, scope and host that were
//! signed are those of the request. Signatures are compared in constant time, and the work is bounded by the limits below.
//!
//! Refuses: versions 0 and 1, which sign next to nothing; `HmacSHA1`, which Keystone never verifies either; a request
//! without a timestamp, which could be replayed for ever; an `Expires` of Version 2 that takes the timestamp's place; the
//! header `Date`, or a param, that takes the place of the header `X-Amz-Date`; a signed header that is not there; an
//! `x-amz-` header that is there and not signed, except a presigned request's `x-amz-content-sha256`, which is then ignored;
//! two signatures in one request, of which each reader might believe another.
//!
//! Does not promise:
//! - That the request is recent, or new: that takes a clock and a memory, see [`Claim::signed_at`], [`Claim::expires_at`]
//!   and [`Fingerprint`].
//! - That the body is the one that was signed: `body_hash` is the forwarder's word. `UNSIGNED-PAYLOAD` and `STREAMING-…`
//!   say that the signature does not cover it.
//! - That one request has one signer. Version 4 in the header, and Version 2 without `AWSAccessKeyId`, do not sign the
//!   access key; the secret stands for it. Two access keys with one secret speak for each other: secrets must be random.
//! - That headers outside of `SignedHeaders` are the signer's.
//! - That the `params` of a Version 4 POST are signed one by one. They may have come in the query, and are then signed, or
//!   in the body: then the signature covers `body_hash` alone, and the forwarder must have made it from the very body that
//!   it read the params from. Without such a hash they must be signed as a query.
//!
//! How fields are read:
//! - `path` may come raw, as on the wire (percent-encoded), or as signed. A signature is right if the client may have signed
//!   it for one of these: encoded, and for services other than S3 normalised and encoded once more (`path.rs`). The forwarder
//!   must therefore act on the path that it gave, and must not decode it again.
//! - `verb` counts without regard to case.
//! - `host` counts without regard to case. Under Version 2 its port may be one that was not signed, as some clients leave
//!   it out; under Version 4 it must be what the header `Host` says, or stands for that header where there is none.
//! - `params` are decoded names and values. One that occurs several times is a list. Numbers count as their digits.
//! - `body_hash`, where missing, is the signed header `x-amz-content-sha256`, or else the hash of an empty body, and
//!   `UNSIGNED-PAYLOAD` for a presigned request of S3. Where the client signed `UNSIGNED-PAYLOAD` or `STREAMING-…`, in that
//!   header or as S3's presigned requests do, the word stands for itself whatever `body_hash` is.
//! - `signature` may be missing where the request itself carries one; two must be the same.
//!
//! | limit | |
//! | --- | --- |
//! | access key, region, service | 255 bytes each |
//! | host | 262 bytes |
//! | path | 8 KiB |
//! | params | 1,024 values, 256 KiB with their names |
//! | headers | 128, 64 KiB with their names |
//! | life of a presigned request | 7 days |

mod authorization;
mod canonical;
mod claim;
mod error;
mod headers;
mod limit;
mod mac;
mod moment;
mod params;
mod path;
mod payload;
mod read;
mod request;
mod scope;
mod text;
mod version_2;
mod version_4;

#[cfg(test)]
mod tests;

pub use claim::{Claim, Fingerprint, Version};
pub use error::{Malformed, Mismatch};
pub use request::SignedRequest;
