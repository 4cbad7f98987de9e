//! The authority in the folder: `ca.pem` and `ca.key`.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationList,
    CertificateRevocationListParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use time::{Duration, OffsetDateTime};

use super::DevCertsError;
use super::files::{self, Pair};
use super::leaf::Leaf;

const NAME: &str = "strongroom development authority";
const AUTHORITY_DAYS: i64 = 3650;
pub(super) const LEAF_DAYS: i64 = 90;

/// Somebody who signs.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: CertificateDer<'static>,
    not_after: OffsetDateTime,
}

impl Authority {
    /// The one in the folder, or a new one where there is none.
    pub(super) fn open_or_make(
        folder: &Path,
        written: &mut Vec<PathBuf>,
    ) -> Result<Self, DevCertsError> {
        let pair = Pair::new(folder, "ca");
        if !pair.is_there()? {
            let (certificate, key) = make()?;
            pair.write_new(&certificate, &key, written)?;
        }
        Self::open(folder)
    }

    /// The one in the folder.
    pub(super) fn open(folder: &Path) -> Result<Self, DevCertsError> {
        let pair = Pair::new(folder, "ca");
        let (pem, key) = (files::read(&pair.certificate)?, files::read_key(&pair.key)?);
        let authority = Self::read(&pem, &key).ok_or_else(|| DevCertsError::NotAnAuthority {
            certificate: pair.certificate.clone(),
            key: pair.key.clone(),
        })?;
        if authority.not_after <= now() {
            return Err(DevCertsError::Expired { path: pair.certificate });
        }
        Ok(authority)
    }

    /// Whether it can sign for so many days more.
    pub(super) fn lasts(&self, days: i64) -> bool {
        self.not_after > now() + Duration::days(days)
    }

    /// Nothing where the key is another one's: what it signed would verify nowhere, and the reason would be far away.
    fn read(pem: &str, key: &str) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let key = KeyPair::from_pem(key).ok()?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).ok()?;
        let not_after =
            OffsetDateTime::from_unix_timestamp(parsed.validity().not_after.timestamp()).ok()?;
        let fits = parsed.is_ca() && parsed.public_key().raw == key.subject_public_key_info();
        let issuer = Issuer::from_ca_cert_der(&certificate, key).ok().filter(|_| fits)?;
        Some(Self { issuer, certificate, not_after })
    }

    /// A new key and its certificate, in PEM, for ninety days from yesterday, clocks being what they are. No longer
    /// than the authority itself.
    pub(super) fn sign(&self, leaf: Leaf) -> Result<(String, String), DevCertsError> {
        self.sign_for(leaf, LEAF_DAYS)
    }

    pub(super) fn sign_for(
        &self,
        leaf: Leaf,
        days: i64,
    ) -> Result<(String, String), DevCertsError> {
        let mut parameters = leaf.parameters;
        parameters.not_before = now() - Duration::DAY;
        parameters.not_after = self.not_after.min(now() + Duration::days(days));
        let key = KeyPair::generate()?;
        Ok((parameters.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()))
    }

    pub(super) fn sign_crl(
        &self,
        crl: &CertificateRevocationListParams,
    ) -> Result<CertificateRevocationList, DevCertsError> {
        Ok(crl.signed_by(&self.issuer)?)
    }
}

/// Makes a certificate that signs itself, and its key, in PEM.
pub(super) fn make() -> Result<(String, String), DevCertsError> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_before = now() - Duration::DAY;
    parameters.not_after = now() + Duration::days(AUTHORITY_DAYS);
    let key = KeyPair::generate()?;
    // Two authorities of one name could not be told apart, by people or by what they signed.
    let number = hex::encode(parameters.key_identifier(&key).get(..4).unwrap_or_default());
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, format!("{NAME} {number}"));
    Ok((parameters.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// Certificates are judged by the clocks of those who verify them, so that no database's clock will do.
pub(super) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
