//! Files that cannot be used.

use std::fs;

use crate::tls::Material;
use crate::tls::test_support::{Authority, Folder};

#[test]
fn an_error_names_the_setting_and_nothing_of_the_file() {
    let authority = Authority::new("authority");
    let (list, key) = (BROKEN.replace("CERTIFICATE", "X509 CRL"), authority.server().key);
    for (file, text, expected) in [
        ("server.pem", "", "`server.certificate`: "),
        ("server.pem", BROKEN, "`server.certificate`: "),
        ("server.key", BROKEN, "`server.private_key_file`: "),
        ("server.key", &key, "`server.private_key_file` does not fit"),
        ("clients.pem", "", "`server.client_ca`: "),
        ("clients.pem", BROKEN, "`server.client_ca`: "),
        ("crl.pem", "", "`server.client_crl`: "),
        ("crl.pem", &list, "`server.client_crl`: "),
    ] {
        let damage = |folder: &Folder| {
            folder.write(file, text);
        };
        assert_refused(&authority, damage, expected);
    }
    for mode in [0o640, 0o604] {
        let damage = |folder: &Folder| {
            folder.chmod("server.key", mode);
        };
        assert_refused(&authority, damage, "`server.private_key_file`: ");
    }
    assert_refused(
        &authority,
        |folder| fs::remove_file(folder.path("server.pem")).unwrap(),
        "`server.certificate`: ",
    );
    let enlarge = |folder: &Folder| {
        fs::File::create(folder.path("crl.pem")).unwrap().set_len(1 << 26).unwrap();
    };
    assert_refused(&authority, enlarge, "`server.client_crl`: ");
}

#[test]
fn a_key_may_be_read_only_and_behind_a_link() {
    let folder = Folder::new(&Authority::new("authority"));
    folder.chmod("server.key", 0o400);
    fs::rename(folder.path("server.key"), folder.path("real.key")).unwrap();
    std::os::unix::fs::symlink("real.key", folder.path("server.key")).unwrap();
    assert_eq!(folder.material().generation, 1);
}

fn assert_refused(authority: &Authority, damage: impl FnOnce(&Folder), expected: &str) {
    let folder = Folder::new(authority).with_crl(&authority.crl(&[], 1));
    folder.material();
    damage(&folder);
    let error = Material::load(&folder.settings).unwrap_err().to_string();
    assert!(
        error.starts_with(expected) && !error.contains("AAAA"),
        "expected {expected}, and it says {error}"
    );
}

const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nMAMCAQAAAAA=\n-----END CERTIFICATE-----\n";
