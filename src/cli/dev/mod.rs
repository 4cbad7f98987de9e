//! `strongroom serve --dev`: a service to try out, from an empty folder to an answer in seconds.

mod folder;
mod settings;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Instant;

use rustix::fs::Mode;
use serde_json::json;

use self::folder::Folder;
use self::settings::{Files, LISTEN, TRUST_DOMAIN};
use super::dev_certs::built_in_components;
use super::exit::Exit;
use super::failure::Failure;
use super::global::Global;
use super::migrate;
use super::output::Output;
use super::serve::{self, Serve};
use super::session::Session;
use super::typed::quoted;
use crate::config::Config;
use strongroom::db;
use strongroom::key::SourceError;
use strongroom::reseal::Stop;
use strongroom_api::Settings;
use strongroom_api::dev_certs::{self, DevCerts};

const FOLDER: &str = "strongroom-dev";
/// It stores credentials and shows them.
const COMPONENT: &str = "api";

pub(super) async fn run(wanted: &Serve, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let begun = Instant::now();
    if global.config.is_some() {
        let failure = Failure::new(
            Exit::Usage,
            "usage",
            "--dev has a configuration of its own, in its folder",
        );
        return Err(failure.help("leave out --config, or leave out --dev"));
    }
    if let Some(listen) = &wanted.listen {
        require_loopback(serve::address(listen)?)?;
    }
    // Everything that is made from here on belongs to its owner alone, certificates and SQLite's own files too.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let folder = Folder::open_or_make(wanted.dir.as_deref().unwrap_or(Path::new(FOLDER)))?;
    let files = Files::of(&folder)?;
    let config = files.settings()?;
    let settings = serve::settings(wanted, config.server())?;
    require_loopback(settings.listen)?;
    require_free(settings.listen, wanted)?;
    let session = Session::of(config, true, Stop::default());
    let done = prepare_and_answer(settings, &files, &session, output, begun).await;
    session.close().await;
    done
}

async fn prepare_and_answer(
    settings: Settings,
    files: &Files,
    session: &Session,
    output: &Output,
    begun: Instant,
) -> Result<Exit, Failure> {
    make_key_and_database(files, &session.config).await?;
    dev_certs::keep(&DevCerts {
        out: files.certificates.clone(),
        trust_domain: TRUST_DOMAIN.to_owned(),
        components: built_in_components(),
        hosts: vec![settings.listen.ip().to_string()],
        renew: false,
    })?;
    migrate::go_up_all_the_way(session, output).await?;
    let told = |address: SocketAddr, replica: &str| tell(address, replica, files, begun, output);
    serve::answer(settings, session, output, &told).await
}

/// A new key beside an old database could open nothing in it.
async fn make_key_and_database(files: &Files, config: &Config) -> Result<(), Failure> {
    if files.database.exists() && !files.key.exists() {
        let failure = Failure::from(SourceError::Missing {
            what: format!("the key file {}", files.key.display()),
        });
        return Err(
            failure.help("restore it from its backup, or remove the whole folder to begin again")
        );
    }
    let source = config.key_source()?;
    source.make_if_missing().await?;
    source.root().await?;
    db::create_if_missing(&config.database()?).await?;
    Ok(())
}

fn require_loopback(listen: SocketAddr) -> Result<(), Failure> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    let failure = Failure::refused(
        "not_loopback",
        format!("{listen} is not loopback, and --dev is for this machine alone"),
    );
    Err(failure.help(format!("leave out --listen, or give one such as {LISTEN}")))
}

/// Asked first, so that a start that cannot end well makes nothing.
fn require_free(listen: SocketAddr, wanted: &Serve) -> Result<(), Failure> {
    let Err(error) = TcpListener::bind(listen) else { return Ok(()) };
    let folder = wanted
        .dir
        .as_ref()
        .map_or_else(String::new, |dir| format!(" --dir {}", quoted(&dir.to_string_lossy())));
    let failure =
        Failure::new(Exit::Failed, "listen", format!("cannot listen on {listen}: {error}"));
    Err(failure.help(format!(
        "`strongroom serve --dev --listen {}:0{folder}` takes a free port",
        host(listen)
    )))
}

fn host(address: SocketAddr) -> String {
    if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() }
}

fn tell(address: SocketAddr, replica: &str, files: &Files, begun: Instant, output: &Output) {
    let (url, curl) = (format!("https://{address}"), curl(address, files));
    let (folder, config) = (
        files.config.parent().unwrap_or(Path::new("/")).display().to_string(),
        files.config.display().to_string(),
    );
    output.result(&json!({ "listening": url, "replica": replica, "folder": folder, "config": config, "curl": curl }), || {
        format!("listening on {url}\n\n{curl}")
    });
    output.note(&format!(
        "\nThe line above stores a credential as component `{COMPONENT}`; each component has a certificate of its own.\n\
         Key, database and certificates are in {folder}, for development only; ready after {:.1} s.\n\
         Next: `strongroom --config {config} credential list`; Ctrl-C stops the service.",
        begun.elapsed().as_secs_f32(),
        config = quoted(&config),
    ));
}

/// Works as it is, in any folder, whatever proxy the shell is set to.
fn curl(address: SocketAddr, files: &Files) -> String {
    // curl takes what follows a colon for the key's password.
    let certificate = files.certificate(&format!("{COMPONENT}.pem")).display().to_string();
    let certificate = certificate.replace('\\', "\\\\").replace(':', "\\:");
    let path = |name: &str| quoted(&files.certificate(name).to_string_lossy());
    format!(
        "curl -sS --noproxy '*' --cacert {} --cert {} --key {} -H 'content-type: application/json' \
         -d '{{\"user_id\": \"alice\", \"project_id\": \"web\"}}' -w '\\n' https://{address}/v1/credentials",
        path("ca.pem"),
        quoted(&certificate),
        path(&format!("{COMPONENT}.key")),
    )
}
