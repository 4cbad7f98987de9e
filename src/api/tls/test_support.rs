//! Authorities, certificates good and wrong, and handshakes in memory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::{Material, TlsSettings};

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, in PEM.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut parameters = named(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn server(&self) -> Pair {
        self.sign("a server", 1, ExtendedKeyUsagePurpose::ServerAuth, 30)
    }

    pub(super) fn client(&self, serial: u64) -> Pair {
        self.sign("a client", serial, ExtendedKeyUsagePurpose::ClientAuth, 30)
    }

    pub(super) fn sign(
        &self,
        name: &str,
        serial: u64,
        usage: ExtendedKeyUsagePurpose,
        days: i64,
    ) -> Pair {
        let mut parameters = named(name);
        parameters.subject_alt_names =
            CertificateParams::new(["localhost".to_owned()]).unwrap().subject_alt_names;
        parameters.serial_number = Some(SerialNumber::from(serial));
        parameters.extended_key_usages = vec![usage];
        (parameters.not_before, parameters.not_after) = (in_days(-60), in_days(days));
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: parameters.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    pub(super) fn crl(&self, serials: &[u64], days: i64) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: in_days(-1),
            reason_code: None,
            invalidity_date: None,
        };
        let parameters = CertificateRevocationListParams {
            this_update: in_days(-30),
            next_update: in_days(days),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        parameters.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

fn in_days(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::days(days)
}

/// A folder with the files of a server.
pub(super) struct Folder {
    folder: tempfile::TempDir,
    pub(super) settings: TlsSettings,
}

impl Folder {
    pub(super) fn new(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let settings = TlsSettings {
            certificate: path("server.pem"),
            private_key_file: path("server.key"),
            client_ca: path("clients.pem"),
            client_crl: None,
        };
        let new = Self { folder, settings };
        let Pair { certificate, key } = authority.server();
        new.write("server.pem", &certificate)
            .write("server.key", &key)
            .write("clients.pem", &authority.pem());
        new
    }

    pub(super) fn with_crl(mut self, crl: &str) -> Self {
        self.settings.client_crl = Some(self.path("crl.pem"));
        self.write("crl.pem", crl);
        self
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As certificate managers do it: the whole file at once.
    pub(super) fn write(&self, name: &str, text: &str) -> &Self {
        fs::write(self.path("beside"), text).unwrap();
        self.chmod("beside", 0o600);
        fs::rename(self.path("beside"), self.path(name)).unwrap();
        self
    }

    pub(super) fn chmod(&self, name: &str, mode: u32) -> &Self {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub(super) fn material(&self) -> Material {
        Material::load(&self.settings).unwrap()
    }
}

pub(super) fn client_config(
    authority: &Authority,
    client: Option<&Pair>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap().with_root_certificates(roots);
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let chain = CertificateDer::pem_slice_iter(pair.certificate.as_bytes())
                .map(Result::unwrap)
                .collect();
            builder
                .with_client_auth_cert(
                    chain,
                    PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap(),
                )
                .unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

pub(super) type Connection = (server::TlsStream<DuplexStream>, client::TlsStream<DuplexStream>);

/// A handshake, with a byte each way so that both sides are through with it. The error is the server's.
pub(super) async fn connect(
    material: &Material,
    client: Arc<ClientConfig>,
) -> std::io::Result<Connection> {
    let (near, far) = tokio::io::duplex(1 << 16);
    let name = ServerName::try_from("localhost").unwrap();
    let client = tokio::spawn(TlsConnector::from(client).connect(name, far));
    let mut server = TlsAcceptor::from(material.server_config.clone()).accept(near).await?;
    let mut client = client.await.unwrap()?;
    exchange(&mut server, &mut client).await?;
    Ok((server, client))
}

pub(super) async fn exchange(
    server: &mut server::TlsStream<DuplexStream>,
    client: &mut client::TlsStream<DuplexStream>,
) -> std::io::Result<()> {
    let mut byte = [0];
    server.write_all(b"s").await?;
    server.flush().await?;
    client.read_exact(&mut byte).await?;
    client.write_all(b"c").await?;
    client.flush().await?;
    server.read_exact(&mut byte).await.map(drop)
}
