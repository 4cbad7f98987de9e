//! Whether the configured service answers, and whether it is ready.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::check::Check;
use crate::config::{Server, Service};
use crate::session::Session;

const NAME: &str = "running";
/// A service that takes longer is of no use to its callers either.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks `/readyz`. Returns nothing where no service is configured.
pub(super) async fn running(session: &Session) -> Option<Check> {
    let (url, tls, start) = match (session.config.service(), session.config.server()) {
        (Service { url: Some(url), ca_file, .. }, _) => {
            let authorities = ca_file.as_ref().map(std::fs::read).transpose();
            let Ok(authorities) = authorities else {
                return Some(silent(url, "`service.ca_file` cannot be read", "check `[service]`"));
            };
            (
                url.trim_end_matches('/').to_owned(),
                verified(authorities.as_deref()),
                "start it there with `strongroom serve`",
            )
        }
        // The address is this host's own, and nothing secret is sent or believed: the certificate may have any name.
        (_, server) if is_configured(server) => {
            let tls = TlsConfig::builder().disable_verification(true).build();
            (url_of(server)?, tls, "start it with `strongroom serve`")
        }
        _ => return None,
    };
    let shown = url.clone();
    let asked = tokio::task::spawn_blocking(move || ask(&url, tls)).await.ok()?;
    Some(match asked {
        Ok(not_ready) if not_ready.is_empty() => Check::ok(NAME, format!("{shown} is ready")),
        Ok(not_ready) => {
            let hint = "the service's log says why; `strongroom doctor` looks at what it needs";
            Check::left(NAME, format!("{shown} is not ready: {}", not_ready.join("; ")), hint)
                .code("service_not_ready")
        }
        Err(error) => silent(&shown, &error.to_string(), start),
    })
}

fn silent(url: &str, why: &str, hint: &str) -> Check {
    Check::advice(NAME, format!("{url} does not answer: {why}"), hint).code("service_not_running")
}

pub(super) fn is_configured(server: &Server) -> bool {
    let identity = &server.identity;
    identity.trust_domain.is_some()
        || !identity.fallback.is_empty()
        || identity.plain_component.is_some()
}

/// A service that listens on every address is asked on loopback.
fn url_of(server: &Server) -> Option<String> {
    let scheme = if server.tls { "https" } else { "http" };
    let (host, port) = server.listen.rsplit_once(':')?;
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    };
    Some(format!("{scheme}://{host}:{port}"))
}

fn verified(authorities: Option<&[u8]>) -> TlsConfig {
    let Some(pem) = authorities else { return TlsConfig::default() };
    let certificates: Vec<Certificate<'static>> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build()
}

/// What the service finds wrong.
fn ask(url: &str, tls: TlsConfig) -> Result<Vec<String>, ureq::Error> {
    let config = Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .proxy(None);
    let agent: Agent = config.http_status_as_error(false).build().into();
    let mut answer = agent.get(format!("{url}/readyz")).call()?;
    if answer.status().is_success() {
        return Ok(Vec::new());
    }
    let status = answer.status();
    let document: Value =
        answer.body_mut().with_config().limit(64 << 10).read_json().unwrap_or_default();
    let checks = document.get("checks").and_then(Value::as_array);
    let wrong: Vec<_> = checks
        .into_iter()
        .flatten()
        .filter(|check| check.get("ok") == Some(&Value::Bool(false)))
        .map(line)
        .collect();
    Ok(if wrong.is_empty() { vec![format!("it answered {status}")] } else { wrong })
}

fn line(check: &Value) -> String {
    let text = |name| check.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}: {}", text("name"), text("message"))
}
