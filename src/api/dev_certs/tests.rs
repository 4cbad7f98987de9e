use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::identity::Identities;
use crate::tls::{Material, TlsSettings};

fn wanted(out: &Path, components: &[&str]) -> DevCerts {
    DevCerts {
        out: out.to_owned(),
        trust_domain: "strongroom.local".to_owned(),
        components: components.iter().map(|name| (*name).to_owned()).collect(),
        hosts: vec!["control.example".to_owned(), "192.0.2.7".to_owned()],
        renew: false,
    }
}

fn names(written: &[PathBuf]) -> Vec<&str> {
    written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect()
}

fn code(wanted: &DevCerts) -> String {
    let debug = format!("{:?}", make(wanted).unwrap_err());
    debug.split([' ', '(', '{']).next().unwrap().to_owned()
}

/// A client of the folder meets its server; gives the component that the server sees.
async fn meet(out: &Path, client: &str, host: &str) -> Result<String, String> {
    let (path, text) =
        (|name: &str| out.join(name), |name: &str| fs::read(out.join(name)).unwrap());
    let crl = Some(path("crl.pem")).filter(|path| path.exists());
    let settings = TlsSettings {
        certificate: path("server.pem"),
        private_key_file: path("server.key"),
        client_ca: path("ca.pem"),
        client_crl: crl,
    };
    let material = Material::load(&settings).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&text("ca.pem")).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(&text(&format!("{client}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&text(&format!("{client}.key"))).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder =
        builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let connector =
        TlsConnector::from(Arc::new(builder.with_client_auth_cert(chain, key).unwrap()));
    let (near, far) = tokio::io::duplex(1 << 16);
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let client = tokio::spawn(async move {
        let mut stream = connector.connect(name, far).await?;
        stream.write_all(b"c").await?;
        stream.flush().await
    });
    let accepted = TlsAcceptor::from(material.server_config.clone()).accept(near).await;
    let mut server = accepted.map_err(|error| error.to_string())?;
    let mut byte = [0];
    server.read_exact(&mut byte).await.map_err(|error| error.to_string())?;
    client.await.unwrap().map_err(|error| error.to_string())?;
    let leaf = server.get_ref().1.peer_certificates().unwrap()[0].clone();
    let identities =
        Identities::new(Some("strongroom.local".to_owned()), std::collections::BTreeMap::new())
            .unwrap();
    identities
        .component(&leaf)
        .map(|identity| identity.component)
        .map_err(|error| error.code().to_owned())
}

#[tokio::test]
async fn they_are_good_for_a_server_and_its_components() {
    let folder = tempfile::tempdir().unwrap();
    make(&wanted(folder.path(), &["api", "compute"])).unwrap();
    for host in ["localhost", "127.0.0.1", "::1", "control.example", "192.0.2.7"] {
        assert_eq!(meet(folder.path(), "api", host).await, Ok("api".to_owned()), "{host}");
    }
    assert_eq!(meet(folder.path(), "compute", "localhost").await, Ok("compute".to_owned()));
    assert!(meet(folder.path(), "api", "elsewhere.example").await.is_err());
    assert!(
        meet(folder.path(), "server", "localhost").await.is_err(),
        "a server's certificate is not a client's"
    );
}

#[tokio::test]
async fn what_is_there_is_kept_and_a_component_can_be_added() {
    let folder = tempfile::tempdir().unwrap();
    let first = make(&wanted(folder.path(), &["api"])).unwrap();
    assert_eq!(
        names(&first),
        ["ca.key", "ca.pem", "server.key", "server.pem", "api.key", "api.pem"]
    );
    let authority = fs::read(folder.path().join("ca.pem")).unwrap();
    assert!(make(&wanted(folder.path(), &["api"])).unwrap().is_empty());
    let second = make(&wanted(folder.path(), &["api", "compute", "compute"])).unwrap();
    assert_eq!(names(&second), ["compute.key", "compute.pem"]);
    let before = fs::read(folder.path().join("api.pem")).unwrap();
    let third = make(&DevCerts { renew: true, ..wanted(folder.path(), &["api"]) }).unwrap();
    assert_eq!(names(&third), ["server.key", "server.pem", "api.key", "api.pem"]);
    assert_ne!(fs::read(folder.path().join("api.pem")).unwrap(), before);
    assert_eq!(fs::read(folder.path().join("ca.pem")).unwrap(), authority);
    for client in ["api", "compute"] {
        assert_eq!(meet(folder.path(), client, "localhost").await, Ok(client.to_owned()));
    }
}

#[test]
fn keys_and_a_new_folder_are_for_their_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("a/b");
    make(&wanted(&out, &["api"])).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o7777;
    assert_eq!(mode(&out), 0o700);
    for name in ["ca.key", "server.key", "api.key"] {
        assert_eq!(mode(&out.join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 6, "nothing else is left behind");
}

#[test]
fn half_a_pair_is_refused() {
    for (gone, code_of) in [
        ("ca.key", "HalfPair"),
        ("ca.pem", "HalfPair"),
        ("api.key", "HalfPair"),
        ("server.pem", "HalfPair"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        make(&wanted(folder.path(), &["api"])).unwrap();
        fs::remove_file(folder.path().join(gone)).unwrap();
        assert_eq!(code(&wanted(folder.path(), &["api"])), code_of, "{gone}");
        let renewed = make(&DevCerts { renew: true, ..wanted(folder.path(), &["api"]) });
        assert_eq!(renewed.is_err(), gone.starts_with("ca."), "{gone}");
    }
}

#[test]
fn an_authority_that_is_not_one_is_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&one, &other] {
        make(&wanted(folder.path(), &["api"])).unwrap();
    }
    let copy = |from: &Path, to: &str| fs::copy(from, one.path().join(to)).unwrap();
    copy(&other.path().join("ca.pem"), "ca.pem");
    assert_eq!(code(&wanted(one.path(), &["new"])), "NotAnAuthority");
    copy(&one.path().join("api.pem"), "ca.pem");
    copy(&one.path().join("api.key"), "ca.key");
    assert_eq!(code(&wanted(one.path(), &["new"])), "NotAnAuthority");
    let key = other.path().join("ca.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(code(&wanted(other.path(), &["new"])), "OpenToOthers");
}

#[test]
fn names_are_checked_before_anything_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("new");
    for name in ["ca", "server", "crl", "Api", "nova-compute", "../api", ""] {
        assert_eq!(code(&wanted(&out, &["api", name])), "Component", "{name}");
    }
    assert_eq!(
        code(&DevCerts { trust_domain: "A/b".to_owned(), ..wanted(&out, &[]) }),
        "TrustDomain"
    );
    for host in ["", "two words", "a/b", "über.example"] {
        assert_eq!(
            code(&DevCerts { hosts: vec![host.to_owned()], ..wanted(&out, &[]) }),
            "Host",
            "{host}"
        );
    }
    assert!(!out.exists());
}

#[tokio::test]
async fn revocation_can_be_tried() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = |name: &str| folder.path().join(name);
    make(&wanted(folder.path(), &["api", "compute", "network"])).unwrap();
    make(&wanted(other.path(), &["api"])).unwrap();
    revoke(folder.path(), &[]).unwrap();
    assert_eq!(meet(folder.path(), "api", "localhost").await, Ok("api".to_owned()));
    revoke(folder.path(), &[file("api.pem")]).unwrap();
    revoke(folder.path(), &[file("compute.pem"), file("compute.pem")]).unwrap();
    for client in ["api", "compute"] {
        assert!(meet(folder.path(), client, "localhost").await.is_err(), "{client} is revoked");
    }
    assert_eq!(meet(folder.path(), "network", "localhost").await, Ok("network".to_owned()));
    assert!(matches!(
        revoke(folder.path(), &[other.path().join("api.pem")]),
        Err(DevCertsError::NotOurs { .. })
    ));
    fs::write(file("crl.pem"), "not a list").unwrap();
    assert!(matches!(revoke(folder.path(), &[]), Err(DevCertsError::NotACrl { .. })));
}

/// A stricter reader than rustls, and the one that others' clients have.
#[test]
fn openssl_verifies_them_at_its_strictest() {
    let folder = tempfile::tempdir().unwrap();
    make(&wanted(folder.path(), &["api", "compute"])).unwrap();
    revoke(folder.path(), &[folder.path().join("compute.pem")]).unwrap();
    let verify = |purpose: &str, name: &str| {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder.path()).args([
            "verify",
            "-x509_strict",
            "-crl_check",
            "-CRLfile",
            "crl.pem",
        ]);
        openssl
            .args(["-CAfile", "ca.pem", "-purpose", purpose, name])
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(verify("sslserver", "server.pem") && verify("sslclient", "api.pem"));
    assert!(!verify("sslclient", "server.pem") && !verify("sslserver", "api.pem"));
    assert!(!verify("sslclient", "compute.pem"), "revoked");
}
