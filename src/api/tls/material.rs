//! One set of files, made ready: what handshakes use, and what connections are asked again by.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, version};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

use super::files::Files;
use super::{Setting, TlsError, TlsSettings};

/// A set of files in force. It never changes; another one takes its place.
pub struct Material {
    /// What the acceptor takes.
    pub server_config: Arc<ServerConfig>,
    /// Counts the sets, from 1.
    pub generation: u64,
    /// When the server's certificate ends, in seconds since 1970.
    pub not_after: i64,
    /// When the first of the revocation lists ends. From then on no certificate of a client is accepted, until there
    /// is a newer list: one that is not renewed could have been held back by whom it names.
    pub crl_not_after: Option<i64>,
    verifier: Arc<dyn ClientCertVerifier>,
    pub(super) digest: [u8; 32],
}

impl Material {
    /// Reads the files and makes them ready, all or nothing.
    pub fn load(settings: &TlsSettings) -> Result<Self, TlsError> {
        Self::new(settings, &Files::read(settings)?, 1)
    }

    pub(super) fn new(
        settings: &TlsSettings,
        files: &Files,
        generation: u64,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let crls = crls(settings, files)?;
        let crl_not_after = crls.iter().filter_map(|crl| next_update(crl)).min();
        let verifier = verifier(settings, files, crls, &provider)?;
        let chain = certificates(Setting::Certificate, settings, files)?;
        let not_after = chain.first().and_then(|leaf| ends(leaf));
        let not_after =
            not_after.ok_or_else(|| not_a_certificate(Setting::Certificate, settings))?;
        let server_config = Arc::new(server_config(
            provider,
            verifier.clone(),
            chain,
            private_key(settings, files)?,
        )?);
        Ok(Self {
            server_config,
            generation,
            not_after,
            crl_not_after,
            verifier,
            digest: files.digest(),
        })
    }

    /// Whether a client would still be let in, now and by this set, with the chain that it came with: not when it
    /// has expired, was revoked, or its authority is no longer there. Without a chain there is nothing to trust.
    pub fn still_trusts(&self, chain: &[CertificateDer<'_>]) -> bool {
        let Some((leaf, between)) = chain.split_first() else { return false };
        let Some(now) = self.server_config.time_provider.current_time() else { return false };
        self.verifier.verify_client_cert(leaf, between, now).is_ok()
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material(generation: {}, not_after: {})", self.generation, self.not_after)
    }
}

fn server_config(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ClientCertVerifier>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?;
    let made = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key);
    let mut config = made.map_err(|error| TlsError::Pair { error })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A resumed session would let a client in that is revoked by now.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    // What is sent early can be sent again by somebody else.
    config.max_early_data_size = 0;
    Ok(config)
}

/// Once there are revocation lists, every certificate between a client and its authority must be covered by one that
/// has not ended: what is not known to be good is bad.
fn verifier(
    settings: &TlsSettings,
    files: &Files,
    crls: Vec<CertificateRevocationListDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(Setting::ClientCa, settings, files)? {
        roots.add(authority).map_err(|_| not_a_certificate(Setting::ClientCa, settings))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let mut builder =
        builder.with_crls(crls).enforce_revocation_expiration().allow_unauthenticated();
    if settings.client_crl.is_none() {
        builder = builder.allow_unknown_revocation_status();
    }
    let path = settings.client_crl.clone().unwrap_or_default();
    builder.build().map_err(|error| TlsError::Crl { path, error })
}

/// Every certificate in the file must be readable, and there must be one.
fn certificates(
    setting: Setting,
    settings: &TlsSettings,
    files: &Files,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = if setting == Setting::ClientCa { &files.client_ca } else { &files.certificate };
    let read: Option<Vec<_>> = CertificateDer::pem_slice_iter(pem).map(Result::ok).collect();
    read.filter(|read| !read.is_empty()).ok_or_else(|| not_a_certificate(setting, settings))
}

fn not_a_certificate(setting: Setting, settings: &TlsSettings) -> TlsError {
    let path =
        if setting == Setting::ClientCa { &settings.client_ca } else { &settings.certificate };
    TlsError::not_pem(setting, path, "certificate")
}

fn private_key(settings: &TlsSettings, files: &Files) -> Result<PrivateKeyDer<'static>, TlsError> {
    let not_pem =
        |_| TlsError::not_pem(Setting::PrivateKey, &settings.private_key_file, "private key");
    PrivateKeyDer::from_pem_slice(&files.private_key).map_err(not_pem)
}

fn crls(
    settings: &TlsSettings,
    files: &Files,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let (Some(path), Some(pem)) = (&settings.client_crl, &files.client_crl) else {
        return Ok(Vec::new());
    };
    let read: Option<Vec<_>> =
        CertificateRevocationListDer::pem_slice_iter(pem).map(Result::ok).collect();
    let read = read.filter(|read| !read.is_empty());
    read.ok_or_else(|| TlsError::not_pem(Setting::ClientCrl, path, "revocation list"))
}

fn ends(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn next_update(crl: &[u8]) -> Option<i64> {
    let (_, crl) = CertificateRevocationList::from_der(crl).ok()?;
    crl.next_update().map(|time| time.timestamp())
}
