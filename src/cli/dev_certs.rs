//! `strongroom dev-certs`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::session::Session;
use crate::api::OWN_COMPONENT;
use crate::api::dev_certs::{self, DevCertsError};
use crate::policy::builtin_components;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DevCerts {
    /// The folder; made if it is not there. What is in it is kept
    #[arg(long, value_name = "DIR")]
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
        return Err(Failure::new(Exit::Usage, "usage", message).help("give --renew, and every --host again"));
    }
    let written = if revoke.is_empty() {
        let trust_domain = session.config.server().identity.trust_domain.clone().unwrap_or_else(|| TRUST_DOMAIN.to_owned());
        let components = if components.is_empty() { built_in_components() } else { components };
        dev_certs::make(&dev_certs::DevCerts { out, trust_domain, components, hosts, renew })?
    } else {
        let certificates: Vec<_> = revoke.iter().map(|name| out.join(format!("{name}.pem"))).collect();
        vec![dev_certs::revoke(&out, &certificates)?]
    };
    let written: Vec<_> = written.iter().map(|file| file.display().to_string()).collect();
    output.result(&json!({ "written": written }), || {
        if written.is_empty() { "everything is there already".to_owned() } else { written.join("\n") }
    });
    Ok(Exit::Done)
}

/// Those that have callers: the service's own component has none.
pub(super) fn built_in_components() -> Vec<String> {
    builtin_components().into_iter().filter(|name| name != OWN_COMPONENT).collect()
}

impl From<DevCertsError> for Failure {
    fn from(error: DevCertsError) -> Self {
        match error {
            DevCertsError::TrustDomain { .. } | DevCertsError::Component { .. } | DevCertsError::Host { .. } => {
                Self::new(Exit::Usage, "usage", error)
            }
            error => Self::new(Exit::Failed, "dev_certs", error),
        }
    }
}
