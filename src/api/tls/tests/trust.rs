//! Whether a client that is connected is trusted still.

use std::sync::Arc;
use std::time::Duration;

use rustls::version::TLS13;

use super::chain;
use crate::tls::Reloading;
use crate::tls::test_support::{Authority, Folder, client_config, connect};

#[tokio::test]
async fn a_client_that_is_revoked_or_whose_authority_is_gone_is_no_longer_trusted() {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    let folder = Folder::new(&authority).with_crl(&authority.crl(&[], 1));
    let reloading = Reloading::load(folder.settings.clone()).unwrap();
    let connection = connect(
        &reloading.current(),
        client_config(&authority, Some(&authority.client(7)), &[&TLS13]),
    )
    .await
    .unwrap();
    let trusted =
        || reloading.reload().map(|_| reloading.current().still_trusts(&chain(&connection)));
    for (crl, expected) in [
        (authority.crl(&[8], 1), true),
        (authority.crl(&[7], 1), false),
        (authority.crl(&[], 1), true),
        (authority.crl(&[], -1), false),
    ] {
        folder.write("crl.pem", &crl);
        assert_eq!(trusted().unwrap(), expected);
    }
    let crl_not_after = reloading.current().crl_not_after;
    folder.write("crl.pem", &format!("{}{}", authority.crl(&[], 1), other.crl(&[], 9)));
    assert!(trusted().unwrap());
    assert!(reloading.current().crl_not_after > crl_not_after);
    folder.write("clients.pem", &other.pem());
    assert!(!trusted().unwrap());
}

/// The clock of the server is turned, not the certificate.
#[tokio::test]
async fn a_client_that_has_expired_meanwhile_is_no_longer_trusted() {
    #[derive(Debug)]
    struct InTwoMonths;
    impl rustls::time_provider::TimeProvider for InTwoMonths {
        fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
            let now = rustls::pki_types::UnixTime::now().as_secs();
            Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(
                now + 60 * 86_400,
            )))
        }
    }
    let authority = Authority::new("authority");
    let mut material = Folder::new(&authority).material();
    let connection =
        connect(&material, client_config(&authority, Some(&authority.client(7)), &[&TLS13]))
            .await
            .unwrap();
    assert!(material.still_trusts(&chain(&connection)));
    Arc::make_mut(&mut material.server_config).time_provider = Arc::new(InTwoMonths);
    assert!(!material.still_trusts(&chain(&connection)));
}
