//! What stands in a certificate of the server or a component.

use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    SanType,
};

use super::DevCertsError;

/// What the server is always called.
pub(super) const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate before it is signed.
pub(super) struct Leaf {
    /// Of its files.
    pub(super) name: String,
    pub(super) parameters: CertificateParams,
}

impl Leaf {
    pub(super) fn server(hosts: &[String]) -> Result<Self, DevCertsError> {
        let mut names = Vec::new();
        for host in LOCAL.into_iter().chain(hosts.iter().map(String::as_str)) {
            names.extend(host_name(host)?);
        }
        Ok(Self::new("server", "localhost", names, ExtendedKeyUsagePurpose::ServerAuth))
    }

    pub(super) fn component(trust_domain: &str, name: &str) -> Result<Self, DevCertsError> {
        let id = Ia5String::try_from(format!("spiffe://{trust_domain}/component/{name}"))?;
        Ok(Self::new(name, name, vec![SanType::URI(id)], ExtendedKeyUsagePurpose::ClientAuth))
    }

    /// The subject is never the authority's own: such a certificate would pass for signed by itself.
    fn new(name: &str, subject: &str, names: Vec<SanType>, usage: ExtendedKeyUsagePurpose) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, subject);
        parameters.subject_alt_names = names;
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        parameters.use_authority_key_identifier_extension = true;
        Self { name: name.to_owned(), parameters }
    }
}

/// A name or an address.
fn host_name(host: &str) -> Result<Vec<SanType>, DevCertsError> {
    let unfit = || DevCertsError::Host { name: host.to_owned() };
    rustls::pki_types::ServerName::try_from(host).map_err(|_| unfit())?;
    Ok(CertificateParams::new([host.to_owned()]).map_err(|_| unfit())?.subject_alt_names)
}
