//! Revocation lists for trying revocation out.

use std::path::{Path, PathBuf};

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, RevokedCertificate};

use super::authority::{Authority, LEAF_DAYS, now};
use super::{DevCertsError, files};

/// Writes `crl.pem`, with which the authority in the folder takes back the given certificates beside those that it
/// took back before. With none given the list is made, or made anew for another ninety days.
pub fn revoke(out: &Path, certificates: &[PathBuf]) -> Result<PathBuf, DevCertsError> {
    let (authority, path) = (Authority::open(out)?, out.join("crl.pem"));
    let mut revoked = revoked_before(&path)?;
    for certificate in certificates {
        let serial = serial(certificate, &authority)?;
        if revoked.iter().all(|before| before.serial_number != serial) {
            revoked.push(entry(serial, now()));
        }
    }
    let crl = authority.sign_crl(&CertificateRevocationListParams {
        this_update: now() - Duration::DAY,
        next_update: now() + Duration::days(LEAF_DAYS),
        crl_number: SerialNumber::from(now().unix_timestamp().unsigned_abs()),
        issuing_distribution_point: None,
        revoked_certs: revoked,
        key_identifier_method: KeyIdMethod::Sha256,
    })?;
    files::replace(&path, &crl.pem()?, &mut Vec::new())?;
    Ok(path)
}

fn revoked_before(path: &Path) -> Result<Vec<RevokedCertParams>, DevCertsError> {
    if !files::is_there(path)? {
        return Ok(Vec::new());
    }
    let not_a_crl = || DevCertsError::NotACrl { path: path.to_owned() };
    let der = CertificateRevocationListDer::from_pem_slice(files::read(path)?.as_bytes())
        .map_err(|_| not_a_crl())?;
    let (_, crl) = CertificateRevocationList::from_der(&der).map_err(|_| not_a_crl())?;
    crl.iter_revoked_certificates()
        .map(|revoked| read_entry(revoked).ok_or_else(not_a_crl))
        .collect()
}

fn read_entry(revoked: &RevokedCertificate<'_>) -> Option<RevokedCertParams> {
    let at = OffsetDateTime::from_unix_timestamp(revoked.revocation_date.timestamp()).ok()?;
    Some(entry(SerialNumber::from_slice(revoked.raw_serial()), at))
}

fn entry(serial_number: SerialNumber, revocation_time: OffsetDateTime) -> RevokedCertParams {
    RevokedCertParams { serial_number, revocation_time, reason_code: None, invalidity_date: None }
}

/// A serial number means something to its own authority only, so another's certificate is refused.
fn serial(path: &Path, authority: &Authority) -> Result<SerialNumber, DevCertsError> {
    let der = CertificateDer::from_pem_slice(files::read(path)?.as_bytes()).ok();
    der.and_then(|der| serial_of(&der, &authority.certificate))
        .ok_or_else(|| DevCertsError::NotOurs { path: path.to_owned() })
}

fn serial_of(certificate: &[u8], authority: &[u8]) -> Option<SerialNumber> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let (_, authority) = x509_parser::parse_x509_certificate(authority).ok()?;
    let ours = certificate.issuer().as_raw() == authority.subject().as_raw();
    ours.then(|| SerialNumber::from_slice(certificate.raw_serial()))
}
