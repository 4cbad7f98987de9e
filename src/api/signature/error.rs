//! Why a signature is refused.

/// A request that is refused whatever the secret is. Names nothing of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Empty, too long, or not visible ASCII.
    #[error("the access key is empty, too long or not in visible ASCII")]
    Access,
    /// Not the access key that was signed.
    #[error("the access key differs from the signed one")]
    AccessDiffers,
    /// A Version 4 algorithm other than `AWS4-HMAC-SHA256`.
    #[error("the algorithm is not AWS4-HMAC-SHA256")]
    Algorithm,
    /// Signed in more than one way.
    #[error("the request is signed in more than one way")]
    Ambiguous,
    /// The header or the params lack a part, or have an unknown or repeated one.
    #[error("the authorization needs Credential and SignedHeaders, each once, and nothing unknown")]
    Authorization,
    /// Neither a SHA-256 in lowercase hexadecimal nor one of AWS's words for its absence.
    #[error(
        "the body hash is neither 64 lowercase hexadecimal digits nor UNSIGNED-PAYLOAD nor STREAMING-…, or is given in two ways"
    )]
    BodyHash,
    /// The scope is of another day than the date.
    #[error("the date of the scope differs from X-Amz-Date")]
    DateDiffers,
    /// An expiry that is missing, no moment, or too far.
    #[error("the expiry is missing, malformed or longer than seven days")]
    Expires,
    /// A signed header is not among the headers.
    #[error("a signed header is missing")]
    HeaderMissing,
    /// A header that says what the request does is not signed.
    #[error("a header whose name begins with x-amz- is not signed")]
    HeaderUnsigned,
    /// A signed header has a control character.
    #[error("a signed header has a control character")]
    HeaderValue,
    /// Empty, too long, or not a host.
    #[error("the host is empty, too long or not a host")]
    Host,
    /// The header `Host` is another one.
    #[error("the host differs from the signed one")]
    HostDiffers,
    /// The host is not among the signed headers.
    #[error("the host is not signed")]
    HostUnsigned,
    /// A `SignatureMethod` other than `HmacSHA256`.
    #[error("the signature method is not HmacSHA256")]
    Method,
    /// Version 0 or 1.
    #[error("signature versions 0 and 1 are not accepted")]
    OldVersion,
    /// A parameter of the signature that is given more than once.
    #[error("the param {0} is given more than once")]
    ParamRepeated(&'static str),
    /// Not an absolute path, or too long.
    #[error(
        "the path does not begin with a slash, has a control character or a query, or is too long"
    )]
    Path,
    /// Not `day/region/service/aws4_request`.
    #[error("the scope is not day/region/service/aws4_request")]
    Scope,
    /// Not 32 bytes in the version's own encoding.
    #[error(
        "the signature is not strict base64 (version 2) or lowercase hexadecimal (version 4) of 32 bytes"
    )]
    Signature,
    /// The forwarder's signature is not the request's.
    #[error("the signature differs from the one in the request")]
    SignatureDiffers,
    /// No signature at all.
    #[error("the signature is missing")]
    SignatureMissing,
    /// Not lowercase names in order.
    #[error("the signed headers are not lowercase names in ascending order")]
    SignedHeaders,
    /// Not a moment.
    #[error("the timestamp is malformed")]
    Timestamp,
    /// No moment at all.
    #[error("the timestamp is missing")]
    TimestampMissing,
    /// More or longer headers than the limits allow.
    #[error("the headers are too many or too long")]
    TooManyHeaders,
    /// More or longer params than the limits allow.
    #[error("the params are too many or too long")]
    TooManyParams,
    /// Not a verb.
    #[error("the verb is not a word of up to 16 letters")]
    Verb,
    /// Neither Version 2 nor 4.
    #[error("the request is signed neither with signature version 2 nor 4")]
    Version,
}

impl Malformed {
    /// A word that stays the same, for logs and for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::AccessDiffers => "access_differs",
            Self::Algorithm => "algorithm",
            Self::Ambiguous => "signature_ambiguous",
            Self::Authorization => "authorization",
            Self::BodyHash => "body_hash",
            Self::DateDiffers => "date_differs",
            Self::Expires => "expires",
            Self::HeaderMissing => "header_missing",
            Self::HeaderUnsigned => "header_unsigned",
            Self::HeaderValue => "header_value",
            Self::Host => "host",
            Self::HostDiffers => "host_differs",
            Self::HostUnsigned => "host_unsigned",
            Self::Method => "signature_method",
            Self::OldVersion => "signature_version_old",
            Self::ParamRepeated(_) => "param_repeated",
            Self::Path => "path",
            Self::Scope => "scope",
            Self::Signature => "signature",
            Self::SignatureDiffers => "signature_differs",
            Self::SignatureMissing => "signature_missing",
            Self::SignedHeaders => "signed_headers",
            Self::Timestamp => "timestamp",
            Self::TimestampMissing => "timestamp_missing",
            Self::TooManyHeaders => "headers_too_large",
            Self::TooManyParams => "params_too_large",
            Self::Verb => "verb",
            Self::Version => "signature_version",
        }
    }
}

/// The signature is not the one that the secret makes. Says no more, so that it helps nobody to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct Mismatch;

impl Mismatch {
    /// A word that stays the same, for logs and for programs.
    pub fn code(self) -> &'static str {
        "mismatch"
    }
}
