//! New files while the service runs.

use std::sync::Arc;
use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
use rustls::version::TLS13;
use tokio::sync::Notify;

use crate::tls::reloading::{ReloadOutcome, news};
use crate::tls::test_support::{Authority, Folder, Pair, client_config, connect, exchange};
use crate::tls::{Reloading, TlsError};

#[tokio::test]
async fn new_files_count_for_new_connections_and_old_ones_go_on() {
    let (authority, next) = (Authority::new("authority"), Authority::new("next"));
    let folder = Folder::new(&authority);
    let reloading = Reloading::load(folder.settings.clone()).unwrap();
    assert!(!reloading.reload().unwrap());
    let (mut server, mut client) = connect(
        &reloading.current(),
        client_config(&authority, Some(&authority.client(7)), &[&TLS13]),
    )
    .await
    .unwrap();

    let Pair { certificate, key } = next.sign("a server", 1, ServerAuth, 5);
    folder.write("server.pem", &certificate);
    let (error, before) = (reloading.reload().unwrap_err(), reloading.current());
    assert!(matches!(error, TlsError::Pair { .. }), "{error}");
    assert_eq!(before.generation, 1);
    assert!(
        connect(&before, client_config(&authority, None, &[&TLS13])).await.is_ok(),
        "half a pair changes nothing"
    );

    folder.write("server.key", &key);
    assert!(reloading.reload().unwrap());
    let after = reloading.current();
    assert!(after.generation == 2 && after.not_after < before.not_after, "{before:?} {after:?}");
    assert!(connect(&after, client_config(&next, None, &[&TLS13])).await.is_ok());
    assert!(connect(&after, client_config(&authority, None, &[&TLS13])).await.is_err());
    exchange(&mut server, &mut client).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_said_once() {
    let authority = Authority::new("authority");
    let (folder, next) = (Folder::new(&authority), authority.server());
    let reloading = Arc::new(Reloading::load(folder.settings.clone()).unwrap());
    assert_eq!(reloading.look(None).await, None);
    folder.write("server.pem", &next.certificate);
    let wrong = reloading.look(None).await;
    assert!(wrong.is_some());
    assert_eq!(reloading.look(wrong.clone()).await, wrong);
    folder.write("server.key", &next.key);
    assert_eq!(reloading.look(wrong.clone()).await, None);
    assert_eq!(reloading.current().generation, 2);

    let (wrong, broken) = (wrong.as_deref(), Err(wrong.clone().unwrap()));
    assert_eq!(news(&broken, None), ReloadOutcome::Broken(wrong.unwrap()));
    assert_eq!(news(&broken, Some("something else")), ReloadOutcome::Broken(wrong.unwrap()));
    assert_eq!(news(&broken, wrong), ReloadOutcome::Nothing);
    assert_eq!(news(&Ok(true), wrong), ReloadOutcome::Reloaded);
    assert_eq!(news(&Ok(false), wrong), ReloadOutcome::Restored);
    assert_eq!(news(&Ok(false), None), ReloadOutcome::Nothing);
}

#[tokio::test]
async fn files_are_watched_while_they_come_one_by_one() {
    let authority = Authority::new("authority");
    let (folder, next) = (Folder::new(&authority), authority.server());
    let reloading = Arc::new(Reloading::load(folder.settings.clone()).unwrap());
    let watching =
        tokio::spawn(reloading.clone().watch(Duration::from_millis(5), Arc::new(Notify::new())));
    folder.write("server.pem", &next.certificate);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(reloading.current().generation, 1);
    folder.write("server.key", &next.key);
    until(|| reloading.current().generation == 2).await;
    watching.abort();
}

#[tokio::test]
async fn a_signal_is_heard_at_once() {
    let authority = Authority::new("authority");
    let folder = Folder::new(&authority);
    let (reloading, signal) =
        (Arc::new(Reloading::load(folder.settings.clone()).unwrap()), Arc::new(Notify::new()));
    let watching = tokio::spawn(reloading.clone().watch(Duration::from_hours(1), signal.clone()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    folder.write("clients.pem", &format!("{}{}", authority.pem(), Authority::new("next").pem()));
    signal.notify_one();
    until(|| reloading.current().generation == 2).await;
    watching.abort();
}
async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it takes too long");
}
