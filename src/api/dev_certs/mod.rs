//! Certificates for trying the service out: an authority of one's own, a server on this machine, and components.
//!
//! Not for production: the authority's key lies beside what it signs. What is there is kept, so that a component can
//! be added later; an authority is never replaced.

mod authority;
mod error;
mod files;
mod keep;
mod leaf;
mod revoke;

use std::path::PathBuf;

use crate::identity::is_trust_domain;
use strongroom::policy::is_component_name;

pub use self::error::DevCertsError;
pub use self::keep::keep;
pub use self::revoke::revoke;

use self::authority::Authority;
use self::files::Pair;
use self::leaf::Leaf;

/// Names that stand for something else than a component in the folder.
const TAKEN: [&str; 3] = ["ca", "server", "crl"];

/// What to make.
#[derive(Debug, Clone)]
pub struct DevCerts {
    /// The folder; made, for its owner only, if it is missing.
    pub out: PathBuf,
    /// `server.identity.trust_domain`
    pub trust_domain: String,
    /// Whom to give a certificate, as `NAME.pem` and `NAME.key`.
    pub components: Vec<String>,
    /// What the server is called besides `localhost`, `127.0.0.1` and `::1`.
    pub hosts: Vec<String>,
    /// Makes new certificates and keys for those that are there, but not a new authority.
    pub renew: bool,
}

/// Makes what is missing: `ca.pem`, `ca.key`, `server.pem`, `server.key`, and a pair for each component. Gives the
/// files that were written.
pub fn make(wanted: &DevCerts) -> Result<Vec<PathBuf>, DevCertsError> {
    check_names(wanted)?;
    let mut leaves = vec![Leaf::server(&wanted.hosts)?];
    for component in &wanted.components {
        leaves.push(Leaf::component(&wanted.trust_domain, component)?);
    }
    files::make_folder(&wanted.out)?;
    let mut written = Vec::new();
    let authority = Authority::open_or_make(&wanted.out, &mut written)?;
    for leaf in leaves {
        let pair = Pair::new(&wanted.out, &leaf.name);
        if wanted.renew || !pair.is_there()? {
            let (certificate, key) = authority.sign(leaf)?;
            pair.replace(&certificate, &key, &mut written)?;
        }
    }
    Ok(written)
}

fn check_names(wanted: &DevCerts) -> Result<(), DevCertsError> {
    if !is_trust_domain(&wanted.trust_domain) {
        return Err(DevCertsError::TrustDomain { name: wanted.trust_domain.clone() });
    }
    let unfit = |name: &&String| !is_component_name(name) || TAKEN.contains(&name.as_str());
    match wanted.components.iter().find(unfit) {
        Some(name) => Err(DevCertsError::Component { name: name.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
