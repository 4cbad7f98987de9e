//! `strongroom dev-certs`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::counted::counted;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use strongroom::internal::policy::builtin_components;
use strongroom_api::OWN_COMPONENT;
use strongroom_api::dev_certs::{self, DevCertsError};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DevCerts {
    /// The folder; made if it is not there. What is in it is kept
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
    /// A component; again for more [default: those of the built-in policy]
    #[arg(long = "component", value_name = "C")]
    components: Vec<String>,
    /// Another name or address of the server, beside localhost and this machine's own; again for more
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Make new certificates and keys where there are some, by the same authority
    #[arg(long)]
    renew: bool,
    /// Take a component's certificate back, in place of making any: writes crl.pem
    #[arg(long, value_name = "C", conflicts_with_all = ["components", "hosts", "renew"])]
    revoke: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  strongroom dev-certs --out certs
  strongroom dev-certs --out certs --component billing    one more, by the same authority
  strongroom dev-certs --out certs --revoke compute       for `server.client_crl`

Not for production: the authority's key lies beside what it signs.";

/// What `server.identity.trust_domain` is where nobody says.
const TRUST_DOMAIN: &str = "strongroom.local";

pub(super) fn run(wanted: DevCerts, session: &Session, output: &Output) -> Result<Exit, Failure> {
    let DevCerts { out, components, hosts, renew, revoke } = wanted;
    if !hosts.is_empty() && !renew && out.join("server.pem").exists() {
        let message = "the server has a certificate already, without these names";
        return Err(Failure::new(Exit::Usage, "usage", message)
            .help("give --renew, and every --host again"));
    }
    let (folder, revoked) = (out.clone(), revoke.clone());
    let written = if revoke.is_empty() {
        let trust_domain = session
            .config
            .server()
            .identity
            .trust_domain
            .clone()
            .unwrap_or_else(|| TRUST_DOMAIN.to_owned());
        let components = if components.is_empty() { built_in_components() } else { components };
        dev_certs::make(&dev_certs::DevCerts { out, trust_domain, components, hosts, renew })?
    } else {
        let certificates: Vec<_> =
            revoke.iter().map(|name| out.join(format!("{name}.pem"))).collect();
        vec![dev_certs::revoke(&out, &certificates)?]
    };
    let written: Vec<_> = written.iter().map(|file| file.display().to_string()).collect();
    let shown = folder.display();
    output.result(&json!({ "written": written }), || match written.len() as u64 {
        0 => format!("everything is in {shown} already"),
        _ if !revoked.is_empty() => format!("{shown}/crl.pem revokes {}", revoked.join(", ")),
        files => format!(
            "{} in {shown}; certificates are good for 90 days",
            counted(files, "file written", "files written")
        ),
    });
    output.note(&next(&folder, !revoked.is_empty(), session));
    Ok(Exit::Done)
}

/// What makes use of the files, unless the configuration names them already.
fn next(folder: &Path, is_revocation: bool, session: &Session) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    let server = session.config.server();
    if is_revocation {
        return match &server.client_crl {
            Some(_) => "A running service reads it within 5 seconds.".to_owned(),
            None => format!("Next: set `client_crl = {:?}` under [server].", file("crl.pem")),
        };
    }
    if server.certificate == folder.join("server.pem") && server.identity.trust_domain.is_some() {
        return "Next: `strongroom serve`; a running service reads them within 5 seconds."
            .to_owned();
    }
    format!(
        "Next: write this into the configuration, then run `strongroom serve`\n\n\
         [server]\ncertificate = {:?}\nprivate_key_file = {:?}\nclient_ca = {:?}\n\n\
         [server.identity]\ntrust_domain = {TRUST_DOMAIN:?}",
        file("server.pem"),
        file("server.key"),
        file("ca.pem"),
    )
}

/// Those that have callers: the service's own component has none.
pub(super) fn built_in_components() -> Vec<String> {
    builtin_components().into_iter().filter(|name| name != OWN_COMPONENT).collect()
}

impl From<DevCertsError> for Failure {
    fn from(error: DevCertsError) -> Self {
        match error {
            DevCertsError::TrustDomain { .. }
            | DevCertsError::Component { .. }
            | DevCertsError::Host { .. } => Self::new(Exit::Usage, "usage", error),
            error => Self::new(Exit::Failed, "dev_certs", error),
        }
    }
}
