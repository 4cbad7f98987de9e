//! `strongroom serve`.

mod faults;
mod sockets;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use strongroom::migration::Migrator;
use tokio::signal::unix::{SignalKind, signal};

use self::sockets::Opened;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::packages;
use super::session::Session;
use super::typed;
use crate::config;
use strongroom::db::Access;
use strongroom::policy::GrantError;
use strongroom::schema;
use strongroom_api::{
    BodyBudgetSettings, Database, GateSettings, Identities, IdentityError, Limits, OWN_COMPONENT,
    RouteSet, RoutesError, Server, ServerError, Service, Settings, Signals, TlsError, TlsSettings,
    Way, readiness,
};

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Serve {
    /// Listen, in place of `server.listen`
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<String>,
    /// Speak plain HTTP off loopback too: everybody on the way reads the secrets
    #[arg(long)]
    dangerous_plain_http: bool,
    /// Make everything that a service needs in a folder, and serve from there; for development, on loopback only
    #[arg(long, conflicts_with = "dangerous_plain_http")]
    pub(super) dev: bool,
    /// The folder of --dev [default: strongroom-dev]
    #[arg(long, value_name = "DIR", requires = "dev", value_hint = clap::ValueHint::DirPath)]
    pub(super) dir: Option<PathBuf>,
}

const HELP: &str = "\
Examples:
  strongroom serve --dev              key, database and certificates in ./strongroom-dev, and a curl line to try
  strongroom serve                    by the configuration

The database's address must name component `strongroom`'s login: `strongroom policy login strongroom --reveal`.

Signals:
  SIGHUP           read certificate, client authority and revocation list again, now
  SIGTERM, SIGINT  /readyz says no, requests go on for `server.drain_seconds`, then connections end; again: at once

With LISTEN_FDS (systemd's socket units) it answers on the sockets that were opened for it, and not on `server.listen`.

RUST_LOG chooses the log lines (`strongroom::access=off,strongroom=info`), --log json their form.";

pub(super) async fn run(
    wanted: &Serve,
    session: &Session,
    output: &Output,
) -> Result<Exit, Failure> {
    let opened = Opened::take()?;
    let settings = settings_at(opened.address, wanted, session.config.server());
    let settings = match settings {
        Ok(settings) => settings,
        Err(failure) => return Err(faults::with_the_rest(failure, wanted, session).await),
    };
    let scheme = if matches!(settings.way, Way::Plain(_)) { "http" } else { "https" };
    if scheme == "http" {
        output.warning("plain HTTP: nothing is encrypted, and callers are not told apart");
    }
    let told = |address: SocketAddr, replica: &str| {
        let url = format!("{scheme}://{address}");
        output.result(&json!({ "listening": url, "replica": replica }), || {
            format!("listening on {url}")
        });
    };
    match answer_on(opened, settings, session, output, &told).await {
        // Nothing fails after it listens.
        Err(failure) => Err(faults::with_the_rest(failure, wanted, session).await),
        done => done,
    }
}

/// Serves until a signal stops it. `told` says once where it listens.
pub(super) async fn answer(
    settings: Settings,
    session: &Session,
    output: &Output,
    told: &dyn Fn(SocketAddr, &str),
) -> Result<Exit, Failure> {
    answer_on(Opened::none(), settings, session, output, told).await
}

async fn answer_on(
    opened: Opened,
    settings: Settings,
    session: &Session,
    output: &Output,
    told: &dyn Fn(SocketAddr, &str),
) -> Result<Exit, Failure> {
    let routes = RouteSet::new(packages::packages())?;
    require_schema(session).await?;
    let database = Database {
        address: session.address()?,
        access: session.ring_access().await?,
        names: session.config.policy_options(None)?.names,
    };
    let replica = strongroom::db::this_host_and_process();
    let service = Service::open(settings, database, &replica).await.map_err(own_login)?;
    let server = Server::bind(service, routes, opened.sockets).await?;
    let signals = listen_to_signals();
    let address = server.address().map_err(|error| Failure::new(Exit::Failed, "listen", error))?;
    told(address, &replica);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    // A panic's own text may hold anything.
    std::panic::set_hook(Box::new(|panic| tracing::error!(at = ?panic.location(), "a panic")));
    server.run(signals).await;
    output.note("stopped");
    Ok(Exit::Done)
}

/// Before anything else, so that a database that is behind is told from one that is out of order.
async fn require_schema(session: &Session) -> Result<(), Failure> {
    let db = session.connect(Access::Read).await.map_err(|failure| match failure.exit {
        Exit::Unreachable => failure.help(format!(
            "check the database's address; if the login in it was rotated, `strongroom policy login {OWN_COMPONENT} --reveal` shows the one in use"
        )),
        _ => failure,
    })?;
    let status = schema::status(&db, &Migrator::without_keys().steps()).await;
    let judged = session.refuse_older(&db).await;
    // Its session would outlive a rotation of the login.
    db.close().await?;
    let status = status?;
    judged?;
    if status.version() >= readiness::SERVED {
        return Ok(());
    }
    let message = format!(
        "the database is at version {}, and the service needs version {}",
        status.version(),
        readiness::SERVED
    );
    Err(Failure::new(Exit::Left, "pending", message).help("run `strongroom migrate up --yes`"))
}

pub(super) fn settings(wanted: &Serve, server: &config::Server) -> Result<Settings, Failure> {
    settings_at(None, wanted, server)
}

/// A socket that was opened for the service goes before every other address.
fn settings_at(
    opened: Option<SocketAddr>,
    wanted: &Serve,
    server: &config::Server,
) -> Result<Settings, Failure> {
    let listen = match opened {
        Some(address) => address,
        None => address(wanted.listen.as_ref().unwrap_or(&server.listen))?,
    };
    if !server.tls && !listen.ip().is_loopback() && !wanted.dangerous_plain_http {
        let message = format!(
            "`server.tls` is false, and {listen} is not loopback: everybody on the way would read the secrets"
        );
        return Err(Failure::refused("plain_http", message)
            .help("set `server.tls`, or give --dangerous-plain-http"));
    }
    Ok(Settings {
        listen,
        way: way(server)?,
        replicas: server.replicas,
        gate: GateSettings {
            queue_per_connection: server.queue_per_connection,
            patience: seconds("server.queue_seconds", server.queue_seconds)?,
        },
        limits: Limits {
            connections: server.max_connections.clamp(1, 1 << 20),
            request: seconds("server.request_seconds", server.request_seconds)?
                .max(Duration::from_secs(1)),
            connection_age: seconds(
                "server.connection_age_seconds",
                server.connection_age_seconds,
            )?,
            keep_alive: seconds("server.keep_alive_seconds", server.keep_alive_seconds)?,
            body_bytes: server.max_body_bytes,
            bodies: BodyBudgetSettings {
                of_component: server.max_component_bodies_bytes.max(server.max_body_bytes),
                of_all: server.max_bodies_bytes.max(server.max_body_bytes),
            },
            ..Limits::default()
        },
        signature_window: Duration::from_secs(
            server.signature_window_seconds.min(7 * 24 * 60 * 60),
        ),
        drain: seconds("server.drain_seconds", server.drain_seconds)?,
    })
}

fn way(server: &config::Server) -> Result<Way, Failure> {
    let config::Identity { trust_domain, fallback, plain_component } = &server.identity;
    if !server.tls {
        return Ok(Way::Plain(plain_component.clone()));
    }
    Ok(Way::Tls {
        files: tls_files(server),
        identities: Identities::new(trust_domain.clone(), fallback.clone())?,
    })
}

fn tls_files(server: &config::Server) -> TlsSettings {
    TlsSettings {
        certificate: server.certificate.clone(),
        private_key_file: server.private_key_file.clone(),
        client_ca: server.client_ca.clone(),
        client_crl: server.client_crl.clone(),
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, Failure> {
    let found = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "configuration",
            format!("`server.listen` is `{text}`: not HOST:PORT"),
        )
    })
}

fn seconds(setting: &'static str, value: f64) -> Result<Duration, Failure> {
    let sense = (0.0..=31_536_000.0)
        .contains(&value)
        .then(|| Duration::try_from_secs_f64(value).ok())
        .flatten();
    sense.ok_or_else(|| {
        let message =
            format!("`{setting}` is {value:?}: it must be a number of seconds, from 0 to a year");
        Failure::new(Exit::Usage, "configuration", message)
    })
}

/// Two things to be told, by three signals.
fn listen_to_signals() -> Signals {
    let signals = Signals::default();
    let listen = |kind: SignalKind, told: std::sync::Arc<tokio::sync::Notify>| {
        if let Ok(mut signal) = signal(kind) {
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    told.notify_one();
                }
            });
        }
    };
    listen(SignalKind::terminate(), signals.stop.clone());
    listen(SignalKind::interrupt(), signals.stop.clone());
    listen(SignalKind::hangup(), signals.reload.clone());
    signals
}

fn own_login(error: GrantError) -> Failure {
    match error {
        GrantError::Login { .. } => Failure::refused("login_refused", error).help(format!(
            "the service logs in as component `{OWN_COMPONENT}` and as nobody else: `strongroom policy login {OWN_COMPONENT} --reveal`"
        )),
        GrantError::NoPolicy | GrantError::UnknownComponent(_) => {
            Failure::new(Exit::Left, "no_policy", error).help("run `strongroom migrate up --yes`")
        }
        error => error.into(),
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        Self::new(Exit::Usage, "configuration", error)
            .help("see `[server.identity]` in strongroom.example.toml")
    }
}

impl From<RoutesError> for Failure {
    fn from(error: RoutesError) -> Self {
        Self::new(Exit::Failed, "routes", error)
            .help("this program was built from packages that do not go together: build it without one of them")
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Listen(..) => Self::new(Exit::Failed, "listen", error)
                .help("another program may listen there already"),
            ServerError::Tls(TlsError::OpenToOthers { ref path, .. }) => {
                let help = format!(
                    "close it with `chmod 600 {}`",
                    typed::quoted(&path.display().to_string())
                );
                Self::refused("tls", error).help(help)
            }
            ServerError::Tls(_) => Self::refused("tls", error).help(
                "`strongroom dev-certs --out DIR` makes what `[server]` needs, for development",
            ),
        }
    }
}
