//! Through a service, as a component.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Request, Response, StatusCode};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use url::{Host, Url};

use super::{List, Named, Wanted};
use crate::config;
use crate::exit::Exit;
use crate::failure::Failure;
use strongroom::internal::file::{LONGEST, read_private, read_regular};

/// Where the service is, and who asks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Service options")]
pub(super) struct ServiceArguments {
    /// Go through the service at this address, in place of the database [default: `service.url`]
    #[arg(long, global = true, value_name = "URL", value_hint = clap::ValueHint::Url)]
    service: Option<String>,
    /// Who signs the service's certificate, in PEM [default: `service.ca_file`]
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The certificate to come with, in PEM [default: `service.certificate`]
    #[arg(long, global = true, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Its key, in PEM [default: `service.private_key_file`]
    #[arg(long, global = true, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
}

/// A service, reached as a component.
#[derive(Clone)]
pub(super) struct Client {
    agent: Agent,
    url: Url,
}

/// Longer than the service gives a request, and a connection to it.
const PATIENCE: Duration = Duration::from_mins(1);

impl ServiceArguments {
    /// The service that was asked for, if one was.
    pub(super) fn client(self, configured: &config::Service) -> Result<Option<Client>, Failure> {
        let Some(url) = self.service.or_else(|| configured.url.clone()) else { return Ok(None) };
        let url = Url::parse(&url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
        let url = url.ok_or_else(|| {
            Failure::new(Exit::Usage, "usage", "the service's address is not an http or https URL")
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            let message = "the service's address holds a user or a password; callers are told by their certificates";
            return Err(Failure::new(Exit::Usage, "usage", message));
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            let message = "the service's address is plain HTTP off loopback: everybody on the way would read the secrets";
            return Err(Failure::refused("plain_http", message).help("use https://"));
        }
        let mut tls = TlsConfig::builder();
        if let Some(file) = self.ca_file.as_ref().or(configured.ca_file.as_ref()) {
            let authorities = certificates(file)?;
            tls = tls.root_certs(RootCerts::new_with_certs(&authorities));
        }
        let certificate = self.certificate.as_ref().or(configured.certificate.as_ref());
        let key = self.private_key_file.as_ref().or(configured.private_key_file.as_ref());
        match (certificate, key) {
            (Some(certificate), Some(key)) => {
                let key = PrivateKey::from_pem(&read_private(key, None)?)
                    .map_err(|_| unfit(key, "a private key"))?;
                tls = tls.client_cert(Some(ClientCert::new_with_certs(
                    &certificates(certificate)?,
                    key,
                )));
            }
            (None, None) => {}
            _ => {
                return Err(Failure::new(
                    Exit::Usage,
                    "usage",
                    "--certificate and --private-key-file go together",
                ));
            }
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .timeout_global(Some(PATIENCE))
            .max_redirects(0);
        Ok(Some(Client { agent: config.http_status_as_error(false).build().into(), url }))
    }
}

impl Client {
    pub(super) async fn create(self, wanted: Wanted) -> Result<Value, Failure> {
        let Wanted { user_id, project_id, kind, access, secret, extra } = wanted;
        let (access, secret) =
            (access.as_deref().map(String::as_str), secret.as_deref().map(String::as_str));
        let extra: Option<Value> = extra.and_then(|text| serde_json::from_str(&text).ok());
        let body = json!({
            "user_id": user_id, "project_id": project_id, "type": kind, "access": access, "secret": secret, "extra": extra,
        });
        self.ask("POST", &["v1", "credentials"], &[], Some(body)).await
    }

    pub(super) async fn show(self, which: &Named, reveal: bool) -> Result<Value, Failure> {
        match which {
            Named::Access(access) => {
                let body = json!({ "access": access.as_str(), "reveal": reveal });
                self.ask("POST", &["v1", "credentials", "find"], &[], Some(body)).await
            }
            Named::Id(id) => {
                self.ask(
                    "GET",
                    &["v1", "credentials", id],
                    &[("reveal", Some(reveal.to_string()))],
                    None,
                )
                .await
            }
        }
    }

    pub(super) async fn list(self, list: List) -> Result<Value, Failure> {
        let List { user_id, project_id, limit, after } = list;
        let query = [
            ("user_id", user_id),
            ("project_id", project_id),
            ("limit", Some(limit.to_string())),
            ("after", after),
        ];
        self.ask("GET", &["v1", "credentials"], &query, None).await
    }

    /// By the access key it takes two requests: what is removed is a row.
    pub(super) async fn delete(self, which: &Named) -> Result<(), Failure> {
        let client = self.clone();
        let id = match which {
            Named::Id(id) => id.clone(),
            named @ Named::Access(_) => self
                .show(named, false)
                .await?
                .get("id")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        };
        client.ask("DELETE", &["v1", "credentials", &id], &[], None).await.map(drop)
    }

    async fn ask(
        self,
        method: &'static str,
        path: &[&str],
        query: &[(&str, Option<String>)],
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        let mut url = self.url.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        for (name, value) in query {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let shown = self.url.to_string();
        let asked =
            tokio::task::spawn_blocking(move || self.send(method, &url, body.as_ref())).await;
        let answer = asked
            .map_err(|_| Failure::new(Exit::Failed, "internal", "the request was given up"))?;
        answer.map_err(|error| unreachable(&shown, &error))?
    }

    fn send(
        &self,
        method: &str,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<Result<Value, Failure>, ureq::Error> {
        let request = Request::builder().method(method).uri(url.as_str());
        let answer = match body {
            Some(body) => {
                let text = zeroize::Zeroizing::new(body.to_string());
                self.agent
                    .run(request.header("content-type", "application/json").body(text.as_str())?)?
            }
            None => self.agent.run(request.body(())?)?,
        };
        read_answer(answer)
    }
}

fn read_answer(mut answer: Response<ureq::Body>) -> Result<Result<Value, Failure>, ureq::Error> {
    let status = answer.status();
    if status == StatusCode::NO_CONTENT {
        return Ok(Ok(Value::Null));
    }
    let document: Value = answer.body_mut().read_json()?;
    Ok(if status.is_success() { Ok(document) } else { Err(refusal(status, &document)) })
}

/// The service's words, with the exit code that the same would have had here.
fn refusal(status: StatusCode, problem: &Value) -> Failure {
    let of = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default();
    let detail = of("detail");
    let message = if detail.is_empty() {
        format!("the service answered {status}")
    } else {
        format!("the service: {detail}")
    };
    match (status.as_u16(), of("code")) {
        (401, _) => Failure::refused("not_a_component", message)
            .help("give --certificate and --private-key-file of a component"),
        (403, _) => {
            let by = match of("barrier") {
                "keys" => "the component's policy gives it no key for this",
                "database" => "the database refused the component's login",
                _ => "the component has no policy",
            };
            Failure::refused("forbidden", message)
                .help(format!("{by}; `strongroom policy show` says what it may"))
        }
        (404, "not_found") => Failure::new(Exit::Failed, "not_found", message),
        (409, _) => Failure::new(Exit::Failed, "exists", message),
        (400, _) => Failure::new(Exit::Usage, "unfit", message),
        (429 | 503, _) => {
            Failure::new(Exit::Unreachable, "service_busy", message).help("try again in a moment")
        }
        _ => Failure::new(Exit::Failed, "service", message),
    }
}

fn unreachable(url: &str, error: &ureq::Error) -> Failure {
    let failure = Failure::new(
        Exit::Unreachable,
        "service_unreachable",
        format!("the service at {url} cannot be reached: {error}"),
    );
    failure
        .help("check --service, and --ca-file, --certificate and --private-key-file of a component")
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let text = read(file)?;
    let items = parse_pem(&text).map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = items.flatten().collect();
    if found.is_empty() { Err(unfit(file, "a certificate")) } else { Ok(found) }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let text = read_regular(file, LONGEST);
    text.map_err(|error| {
        Failure::new(
            Exit::Usage,
            "unreadable",
            format!("{} cannot be read: {error}", file.display()),
        )
    })
}

fn unfit(file: &Path, what: &str) -> Failure {
    Failure::new(Exit::Usage, "unfit", format!("{} holds no PEM of {what}", file.display()))
}
