//! Why a certificate is nobody's, and why settings about identity cannot be used.

/// Why a certificate is nobody's. Quotes only what is printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoIdentity {
    /// Not one X.509 certificate in DER, or with an extension that cannot be read.
    #[error("the client's certificate cannot be read")]
    Malformed,
    /// One that may sign others.
    #[error("the client's certificate is an authority's")]
    Authority,
    /// More than one URI.
    #[error("the client's certificate bears more than one URI")]
    SeveralUris,
    /// A URI that is not a SPIFFE ID.
    #[error("the URI in the client's certificate is not a SPIFFE ID")]
    NotSpiffe,
    /// A SPIFFE ID of somebody else's.
    #[error("`{id}` is not of this trust domain")]
    OtherTrustDomain {
        /// The SPIFFE ID.
        id: String,
    },
    /// A SPIFFE ID of ours that names something else.
    #[error("`{id}` names no component, as spiffe://TRUST_DOMAIN/component/NAME would")]
    NotAComponent {
        /// The SPIFFE ID.
        id: String,
    },
    /// No URI, and a subject that cannot be written down without doubt.
    #[error(
        "the client's certificate bears no URI, and its subject is not made of single text values of known types"
    )]
    UnreadableSubject,
    /// No URI, and a subject that is not in the fallback table.
    #[error(
        "the client's certificate bears no URI, and `server.identity.fallback` has no `{subject}`"
    )]
    UnknownSubject {
        /// The subject.
        subject: String,
    },
}

impl NoIdentity {
    /// A word for logs, metrics and problem documents, which stays the same.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "certificate_malformed",
            Self::Authority => "certificate_of_authority",
            Self::SeveralUris => "several_uris",
            Self::NotSpiffe => "not_a_spiffe_id",
            Self::OtherTrustDomain { .. } => "other_trust_domain",
            Self::NotAComponent { .. } => "not_a_component",
            Self::UnreadableSubject => "subject_unreadable",
            Self::UnknownSubject { .. } => "subject_unknown",
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No certificate could be anybody's.
    #[error("`server.identity` names nobody: set `trust_domain`, or `fallback`")]
    Nobody,
    /// Not the name of a trust domain.
    #[error(
        "`server.identity.trust_domain` is `{name}`, but must be 1 to 255 lowercase letters, digits, `.`, `-` and `_`, without `spiffe://`"
    )]
    TrustDomain {
        /// What is set.
        name: String,
    },
    /// Not a subject, or one in another spelling.
    #[error(
        "`server.identity.fallback`: `{subject}` is not a subject as `openssl x509 -noout -subject -nameopt RFC2253` prints it"
    )]
    Subject {
        /// What is set.
        subject: String,
    },
    /// Not a component's name.
    #[error("`server.identity.fallback`: `{name}`, for `{subject}`, cannot name a component")]
    Component {
        /// The key.
        subject: String,
        /// What is set for it.
        name: String,
    },
}
