//! Who is at the other end of a connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_rustls::rustls::pki_types::CertificateDer;

use super::identity::{Identities, Identity};
use super::refusal::Refusal;
use super::tls::Reloading;

/// A connection's caller, worked out once.
#[derive(Clone)]
pub(super) struct Peer(Arc<Inner>);

enum Inner {
    /// A certificate that verified at the handshake.
    Certified(Certified),
    /// TLS without a certificate, or plain HTTP with nobody configured.
    Nobody,
    /// Plain HTTP, where every caller is this component.
    Plain(Identity),
}

/// What a client showed, and when it was last found good.
struct Certified {
    chain: Vec<CertificateDer<'static>>,
    who: Result<Identity, (&'static str, String)>,
    tls: Arc<Reloading>,
    verified: Mutex<(u64, Instant)>,
}

/// Certificates and lists expire while a connection is open.
const GOOD_FOR: Duration = Duration::from_secs(5);

impl Certified {
    /// Whether the chain is trusted now: asked again when what is trusted has changed, and every few seconds.
    fn is_trusted(&self) -> bool {
        let now = self.tls.current();
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let (generation, at) = *verified;
        if generation == now.generation && at.elapsed() < GOOD_FOR {
            return true;
        }
        let trusted = now.still_trusts(&self.chain);
        if trusted {
            *verified = (now.generation, Instant::now());
        }
        trusted
    }
}

impl Peer {
    pub(super) fn certified(
        chain: Vec<CertificateDer<'static>>,
        identities: &Identities,
        tls: Arc<Reloading>,
        generation: u64,
    ) -> Self {
        let leaf = chain.first().map(AsRef::as_ref).unwrap_or_default();
        let who = identities.component(leaf).map_err(|reason| (reason.code(), reason.to_string()));
        Self(Arc::new(Inner::Certified(Certified {
            chain,
            who,
            tls,
            verified: Mutex::new((generation, Instant::now())),
        })))
    }

    pub(super) fn nobody() -> Self {
        Self(Arc::new(Inner::Nobody))
    }

    pub(super) fn plain(component: &str) -> Self {
        Self(Arc::new(Inner::Plain(Identity {
            component: component.to_owned(),
            id: "plain http".to_owned(),
        })))
    }

    /// Who it is, asked at every request: what is trusted may have changed since the handshake.
    pub(super) fn identity(&self) -> Result<&Identity, Refusal> {
        match &*self.0 {
            Inner::Nobody => Err(Refusal::identity(
                "no_certificate",
                "a client certificate is needed, and none was given".to_owned(),
            )),
            Inner::Plain(identity) => Ok(identity),
            Inner::Certified(certified) if !certified.is_trusted() => {
                let detail = "the client certificate is not trusted any more: it was revoked, has expired, or its authority went";
                Err(Refusal::identity("untrusted_certificate", detail.to_owned()))
            }
            Inner::Certified(Certified { who, .. }) => {
                who.as_ref().map_err(|(code, reason)| Refusal::identity(code, reason.clone()))
            }
        }
    }

    /// The component that the certificate names, trusted or not.
    pub(super) fn component(&self) -> Option<&str> {
        match &*self.0 {
            Inner::Certified(Certified { who: Ok(identity), .. }) | Inner::Plain(identity) => {
                Some(&identity.component)
            }
            _ => None,
        }
    }

    /// Why the certificate names no component.
    pub(super) fn is_unnamed(&self) -> Option<(&'static str, &str)> {
        match &*self.0 {
            Inner::Certified(Certified { who: Err((code, reason)), .. }) => {
                Some((*code, reason.as_str()))
            }
            _ => None,
        }
    }

    /// Whether there is anything to write down about a caller that is refused.
    pub(super) fn is_certified(&self) -> bool {
        matches!(&*self.0, Inner::Certified(_))
    }
}
