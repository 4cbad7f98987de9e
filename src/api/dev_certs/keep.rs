//! A folder of certificates that is always ready: what is missing, broken or about to expire is made again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{KeyPair, PublicKeyData as _};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::authority::{Authority, LEAF_DAYS, now};
use super::files::{self, Pair};
use super::leaf::{LOCAL, Leaf};
use super::{DevCerts, DevCertsError, check_names};

/// A certificate with less time left is made again.
const RENEW_BEFORE_DAYS: i64 = 30;

/// Makes every file that is missing, broken or about to expire.
///
/// Unlike [`make`](super::make) it continues where a killed run stopped: half a pair, or a key beside another key's
/// certificate, is replaced. Returns the files that it wrote.
pub fn keep(wanted: &DevCerts) -> Result<Vec<PathBuf>, DevCertsError> {
    check_names(wanted)?;
    let mut written = Vec::new();
    files::make_folder(&wanted.out)?;
    let authority = Authority::keep(wanted, &mut written)?;
    let judge = Judge::new(&wanted.out, &authority)?;
    let hosts: Vec<_> = LOCAL.into_iter().chain(wanted.hosts.iter().map(String::as_str)).collect();
    let server = Leaf::server(&wanted.hosts)?;
    if !judge.accepts_server(&Pair::new(&wanted.out, &server.name), &hosts) {
        renew(wanted, &authority, server, &mut written)?;
    }
    for component in &wanted.components {
        let leaf = Leaf::component(&wanted.trust_domain, component)?;
        if !judge.accepts_client(&Pair::new(&wanted.out, &leaf.name)) {
            renew(wanted, &authority, leaf, &mut written)?;
        }
    }
    Ok(written)
}

fn renew(
    wanted: &DevCerts,
    authority: &Authority,
    leaf: Leaf,
    written: &mut Vec<PathBuf>,
) -> Result<(), DevCertsError> {
    let pair = Pair::new(&wanted.out, &leaf.name);
    let (certificate, key) = authority.sign(leaf)?;
    pair.replace(&certificate, &key, written)
}

impl Authority {
    /// Opens the authority of the folder, or replaces one that is of no use any more.
    fn keep(wanted: &DevCerts, written: &mut Vec<PathBuf>) -> Result<Self, DevCertsError> {
        match Self::open(&wanted.out) {
            Ok(authority) if authority.lasts(LEAF_DAYS) => return Ok(authority),
            // Its key may be known to others: a person decides.
            Err(error @ DevCertsError::OpenToOthers { .. }) => return Err(error),
            Ok(_) | Err(_) => {}
        }
        let (certificate, key) = super::authority::make()?;
        Pair::new(&wanted.out, "ca").replace(&certificate, &key, written)?;
        Self::open(&wanted.out)
    }
}

/// Judges pairs as a client and a server of the folder's authority would, some weeks from now.
struct Judge {
    server: Arc<WebPkiServerVerifier>,
    client: Arc<dyn ClientCertVerifier>,
    then: UnixTime,
}

impl Judge {
    fn new(folder: &Path, authority: &Authority) -> Result<Self, DevCertsError> {
        let Pair { certificate, key } = Pair::new(folder, "ca");
        let unusable =
            || DevCertsError::NotAnAuthority { certificate: certificate.clone(), key: key.clone() };
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.clone()).map_err(|_| unusable())?;
        let roots = Arc::new(roots);
        let server = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone());
        let client = WebPkiClientVerifier::builder_with_provider(roots, provider);
        let then = now() + time::Duration::days(RENEW_BEFORE_DAYS);
        Ok(Self {
            server: server.build().map_err(|_| unusable())?,
            client: client.build().map_err(|_| unusable())?,
            then: UnixTime::since_unix_epoch(Duration::from_secs(
                then.unix_timestamp().unsigned_abs(),
            )),
        })
    }

    fn accepts_server(&self, pair: &Pair, hosts: &[&str]) -> bool {
        let Some(certificate) = matching(pair) else { return false };
        hosts.iter().all(|host| {
            let name = ServerName::try_from(*host).ok();
            name.is_some_and(|name| {
                self.server.verify_server_cert(&certificate, &[], &name, &[], self.then).is_ok()
            })
        })
    }

    fn accepts_client(&self, pair: &Pair) -> bool {
        matching(pair).is_some_and(|certificate| {
            self.client.verify_client_cert(&certificate, &[], self.then).is_ok()
        })
    }
}

/// Returns the certificate of a pair whose key belongs to it.
fn matching(pair: &Pair) -> Option<CertificateDer<'static>> {
    let certificate =
        CertificateDer::from_pem_slice(files::read(&pair.certificate).ok()?.as_bytes()).ok()?;
    let key = KeyPair::from_pem(&files::read_key(&pair.key).ok()?).ok()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).ok()?;
    (parsed.public_key().raw == key.subject_public_key_info()).then_some(certificate)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn wanted(out: &Path) -> DevCerts {
        DevCerts {
            out: out.to_owned(),
            trust_domain: "strongroom.local".to_owned(),
            components: vec!["api".to_owned(), "compute".to_owned()],
            hosts: Vec::new(),
            renew: false,
        }
    }

    fn kept(out: &Path) -> Vec<String> {
        let written = keep(&wanted(out)).unwrap();
        written.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    const ALL: [&str; 8] = [
        "ca.key",
        "ca.pem",
        "server.key",
        "server.pem",
        "api.key",
        "api.pem",
        "compute.key",
        "compute.pem",
    ];

    #[test]
    fn keeping_writes_missing_files_only() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(kept(folder.path()), ALL);
        assert!(kept(folder.path()).is_empty());
        let hosts = vec!["127.0.0.2".to_owned()];
        let another_host = keep(&DevCerts { hosts, ..wanted(folder.path()) }).unwrap();
        assert_eq!(another_host.len(), 2, "{another_host:?}");
        assert!(kept(folder.path()).is_empty(), "a name more is no fault");
    }

    /// Whichever file a killed run wrote last.
    #[test]
    fn keeping_continues_after_every_file() {
        for gone in ALL {
            let folder = tempfile::tempdir().unwrap();
            kept(folder.path());
            fs::remove_file(folder.path().join(gone)).unwrap();
            let written = kept(folder.path());
            assert!(written.contains(&gone.to_owned()), "{gone}: {written:?}");
            assert_eq!(
                written.len(),
                if gone.starts_with("ca.") { ALL.len() } else { 2 },
                "{gone}: {written:?}"
            );
            assert!(kept(folder.path()).is_empty(), "{gone}");
        }
    }

    /// A rename of the key, and none of the certificate.
    #[test]
    fn keeping_replaces_a_key_of_another_certificate() {
        for (from, to) in [
            ("api.key", "compute.key"),
            ("compute.pem", "api.pem"),
            ("api.key", "ca.key"),
            ("api.pem", "server.pem"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            kept(folder.path());
            fs::copy(folder.path().join(from), folder.path().join(to)).unwrap();
            assert!(!kept(folder.path()).is_empty(), "{to}");
            assert!(kept(folder.path()).is_empty(), "{to}");
        }
    }

    #[test]
    fn keeping_renews_certificates_near_their_end() {
        for (days, renewed) in [(RENEW_BEFORE_DAYS - 1, 2), (RENEW_BEFORE_DAYS + 1, 0)] {
            let folder = tempfile::tempdir().unwrap();
            kept(folder.path());
            let authority = Authority::open(folder.path()).unwrap();
            let leaf = Leaf::component("strongroom.local", "api").unwrap();
            let (certificate, key) = authority.sign_for(leaf, days).unwrap();
            Pair::new(folder.path(), "api").replace(&certificate, &key, &mut Vec::new()).unwrap();
            assert_eq!(kept(folder.path()).len(), renewed, "{days}");
        }
    }
}
