//! Which component a client certificate speaks for.
//!
//! A certificate names its component in its one URI, a SPIFFE ID of our trust domain, or, only where it has
//! no URI at all, by a subject that stands in the fallback table. Everything else is nobody. Whether the
//! certificate is genuine is not asked here: TLS has verified its chain before.

mod error;
mod spiffe;
mod subject;

use std::collections::BTreeMap;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};

pub use self::error::{IdentityError, NoIdentity};

pub(crate) use self::spiffe::is_trust_domain;

use self::spiffe::SpiffeId;
use strongroom::policy::is_component_name;

/// Who is who: the trust domain, and the exact subjects of certificates without a URI.
#[derive(Debug, Clone)]
pub struct Identities {
    trust_domain: Option<String>,
    fallback: BTreeMap<String, String>,
}

/// The holder of a client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The component it speaks for.
    pub component: String,
    /// Its SPIFFE ID or its subject, for logs and the audit. Printable ASCII.
    pub id: String,
}

impl Identities {
    /// Takes the settings `trust_domain` and `fallback`: subjects as `openssl x509 -noout -subject -nameopt RFC2253`
    /// prints them, each with its component.
    pub fn new(
        trust_domain: Option<String>,
        fallback: BTreeMap<String, String>,
    ) -> Result<Self, IdentityError> {
        if trust_domain.is_none() && fallback.is_empty() {
            return Err(IdentityError::Nobody);
        }
        if let Some(name) = trust_domain.as_ref().filter(|name| !is_trust_domain(name)) {
            return Err(IdentityError::TrustDomain { name: name.clone() });
        }
        for (subject, component) in &fallback {
            // A name in another spelling would never match, and nobody would know why.
            if !subject::is_canonical(subject) {
                return Err(IdentityError::Subject { subject: subject.clone() });
            }
            if !is_component_name(component) {
                return Err(IdentityError::Component {
                    subject: subject.clone(),
                    name: component.clone(),
                });
            }
        }
        Ok(Self { trust_domain, fallback })
    }

    /// The holder of a certificate, which is given in DER.
    pub fn component(&self, leaf: &[u8]) -> Result<Identity, NoIdentity> {
        let (rest, certificate) =
            x509_parser::parse_x509_certificate(leaf).map_err(|_| NoIdentity::Malformed)?;
        if !rest.is_empty() {
            return Err(NoIdentity::Malformed);
        }
        let facts = Facts::read(&certificate)?;
        if facts.is_authority {
            return Err(NoIdentity::Authority);
        }
        match facts.uris.as_slice() {
            [] => self.by_subject(&certificate),
            [uri] => self.by_uri(uri),
            _ => Err(NoIdentity::SeveralUris),
        }
    }

    fn by_uri(&self, uri: &str) -> Result<Identity, NoIdentity> {
        let id = SpiffeId::parse(uri).ok_or(NoIdentity::NotSpiffe)?;
        if self.trust_domain.as_deref() != Some(id.trust_domain) {
            return Err(NoIdentity::OtherTrustDomain { id: uri.to_owned() });
        }
        let component =
            id.component().ok_or_else(|| NoIdentity::NotAComponent { id: uri.to_owned() })?;
        Ok(Identity { component: component.to_owned(), id: uri.to_owned() })
    }

    fn by_subject(&self, certificate: &X509Certificate<'_>) -> Result<Identity, NoIdentity> {
        let subject = subject::text(certificate.subject()).ok_or(NoIdentity::UnreadableSubject)?;
        match self.fallback.get(&subject) {
            Some(component) => Ok(Identity { component: component.clone(), id: subject }),
            None => Err(NoIdentity::UnknownSubject { subject }),
        }
    }
}

/// What a certificate's extensions say.
#[derive(Default)]
struct Facts<'a> {
    is_authority: bool,
    uris: Vec<&'a str>,
}

impl<'a> Facts<'a> {
    /// One extension that cannot be read, or stands there twice, spoils all: it could hold a second name.
    fn read(certificate: &'a X509Certificate<'_>) -> Result<Self, NoIdentity> {
        certificate.extensions_map().map_err(|_| NoIdentity::Malformed)?;
        let mut facts = Self::default();
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::ParseError { .. } | ParsedExtension::Unparsed => {
                    return Err(NoIdentity::Malformed);
                }
                ParsedExtension::BasicConstraints(constraints) => {
                    facts.is_authority |= constraints.ca;
                }
                // A leaf that may sign certificates or their revocation is an authority in all but name.
                ParsedExtension::KeyUsage(usage) => {
                    facts.is_authority |= usage.key_cert_sign() || usage.crl_sign();
                }
                ParsedExtension::SubjectAlternativeName(names) => {
                    facts.uris =
                        names.general_names.iter().filter_map(uri).collect::<Result<_, _>>()?;
                }
                _ => {}
            }
        }
        Ok(facts)
    }
}

fn uri<'a>(name: &GeneralName<'a>) -> Option<Result<&'a str, NoIdentity>> {
    match name {
        GeneralName::URI(uri) => Some(Ok(uri)),
        GeneralName::Invalid(..) => Some(Err(NoIdentity::Malformed)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
