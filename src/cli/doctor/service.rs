//! What `strongroom serve` needs: what its `/readyz` looks at, and its certificates where it is configured.

use sea_orm::DatabaseConnection;
use tokio_rustls::rustls::pki_types::UnixTime;

use super::check::Check;
use crate::counted::counted;
use crate::failure::Failure;
use crate::session::Session;
use strongroom_api::{Material, ServerError, TlsSettings, readiness};

const DAY: i64 = 24 * 60 * 60;
/// Time enough to get another one.
const SOON: i64 = 14 * DAY;

/// The same that `/readyz` looks at.
pub(super) async fn readiness(db: &DatabaseConnection) -> Vec<Check> {
    // Pending migrations have a check of their own.
    let told = readiness::database(db).await.into_iter();
    let told = told
        .filter(|finding| finding.name != "database" && (finding.ok || finding.name != "schema"));
    told.map(|finding| {
        let message = format!("{}: {}", finding.name, finding.message);
        if finding.ok {
            return Check::ok("service", message);
        }
        let hint =
            "`strongroom serve` hands nothing out before that is mended: restore table strongroom_audit_head from a backup";
        Check::advice("service", message, hint).code("service_not_ready")
    })
    .collect()
}

/// Nothing where no service is configured.
pub(super) fn certificates(session: &Session) -> Vec<Check> {
    let server = session.config.server();
    if server.identity.trust_domain.is_none() && server.identity.fallback.is_empty() || !server.tls
    {
        return Vec::new();
    }
    let files = TlsSettings {
        certificate: server.certificate.clone(),
        private_key_file: server.private_key_file.clone(),
        client_ca: server.client_ca.clone(),
        client_crl: server.client_crl.clone(),
    };
    let material = match Material::load(&files) {
        Ok(material) => material,
        Err(error) => return vec![Check::failed("certificate", ServerError::from(error))],
    };
    let mut checks = vec![lasts("certificate", "the service's certificate", material.not_after)];
    checks.extend(
        material
            .crl_not_after
            .map(|until| lasts("revocation list", "the list of revoked clients", until)),
    );
    checks
}

/// Certificates go by this host's clock, as the service does.
fn lasts(name: &'static str, what: &str, until: i64) -> Check {
    let left = until - i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
    let days = left / DAY;
    match left {
        ..=0 => Check::failed(
            name,
            Failure::refused("expired", format!("{what} has expired"))
                .help("have it renewed; a running service takes the new file by itself"),
        ),
        1..SOON => Check::left(
            name,
            format!("{what} expires in {}", counted(days.unsigned_abs(), "day", "days")),
            "have it renewed; a running service takes the new file by itself",
        ),
        _ => Check::ok(
            name,
            format!("{what} is good for {}", counted(days.unsigned_abs(), "day", "days")),
        ),
    }
}
